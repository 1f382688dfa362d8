/** One build by the daemon's BuildKit. */
import { randomUUID } from 'node:crypto';
import type { DockerApi } from '../../api/docker-api.ts';
import { askToBuild, buildEvents, imageIdIn } from './build-answer.ts';
import { BuildProgress } from './build-progress.ts';
import type { BuildOutcome, BuildRequest } from './build-request.ts';
import { loadBuildKitMessages } from './buildkit-messages.ts';
import { openBuildKitSession } from './buildkit-session.ts';

const trace = 'moby.buildkit.trace';

/** Rejects with the signal's reason when it aborts, and when the daemon goes away. */
export async function buildWithBuildKit(
  api: DockerApi,
  { input, query }: BuildRequest,
  signal: AbortSignal,
): Promise<BuildOutcome> {
  const messages = await loadBuildKitMessages();
  const session = await openBuildKitSession(api, messages, input, signal);
  const buildid = `berth-${input.buildId}-${randomUUID()}`;
  try {
    const asked = { ...query, version: 2, session: session.id, buildid };
    const answer = await askToBuild(api, input, asked, signal);
    if ('failed' in answer) return { failed: inWords(answer.failed) };
    const progress = new BuildProgress(input.log);
    let imageId: string | null = null;
    for await (const event of buildEvents(answer)) {
      if (event.error !== undefined) return { failed: inWords(event.error) };
      if (event.id === trace && typeof event.aux === 'string') {
        progress.take(messages.progress.read(Buffer.from(event.aux, 'base64')));
      }
      imageId = imageIdIn(event) ?? imageId;
    }
    if (imageId === null) throw new Error('the daemon broke off the build');
    return { imageId };
  } finally {
    session.close();
    // The closed connection says it too; this way it has happened when the caller hears of it.
    if (signal.aborted) await api.call('POST', '/build/cancel', { query: { id: buildid } }).catch(() => {});
  }
}

/** Without what BuildKit's own parts call each other. */
function inWords(error: string): string {
  return error.replace(
    /^(?:failed to solve(?: with frontend [\w.]+)?: |failed to create LLB definition: |rpc error: code = \w+ desc = )+/,
    '',
  );
}
