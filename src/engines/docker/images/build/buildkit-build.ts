/** One build by the daemon's BuildKit. */
import { randomUUID } from 'node:crypto';
import type { DockerApi } from '../../api/docker-api.ts';
import { publicOnly, type RegistryRules } from '../registry-rules.ts';
import { askToBuild, buildEvents, imageIdIn } from './build-answer.ts';
import { BuildProgress } from './build-progress.ts';
import type { BuildOutcome, BuildRequest } from './build-request.ts';
import { loadBuildKitMessages } from './buildkit-messages.ts';
import { openBuildKitSession } from './buildkit-session.ts';
import { SourceWatch } from './source-watch.ts';

const trace = 'moby.buildkit.trace';

/** Rejects with the signal's reason when it aborts, and when the daemon goes away. `registries`: where base images may come from. */
export async function buildWithBuildKit(
  api: DockerApi,
  { input, query }: BuildRequest,
  signal: AbortSignal,
  registries: RegistryRules = publicOnly,
): Promise<BuildOutcome> {
  const messages = await loadBuildKitMessages();
  const session = await openBuildKitSession(api, messages, input, signal);
  const buildid = `berth-${input.buildId}-${randomUUID()}`;
  let outcome: BuildOutcome | null = null;
  try {
    const asked = { ...query, version: 2, session: session.id, buildid };
    const answer = await askToBuild(api, input, asked, signal);
    if ('failed' in answer) return { failed: inWords(answer.failed) };
    const progress = new BuildProgress(input.log);
    const sources = new SourceWatch(registries);
    let imageId: string | null = null;
    for await (const event of buildEvents(answer)) {
      if (event.error !== undefined) return { failed: inWords(event.error) };
      if (event.id === trace && typeof event.aux === 'string') {
        const now = messages.progress.read(Buffer.from(event.aux, 'base64'));
        const refused = await sources.take(now.vertexes);
        if (refused !== null) return { failed: refused };
        progress.take(now);
      }
      imageId = imageIdIn(event) ?? imageId;
    }
    if (imageId === null) throw new Error('the daemon broke off the build');
    outcome = { imageId };
    return outcome;
  } finally {
    session.close();
    // The closed connection says it too; this way it has happened when the caller hears of it.
    if (outcome === null) await api.call('POST', '/build/cancel', { query: { id: buildid } }).catch(() => {});
  }
}

/** Without what BuildKit's own parts call each other. */
function inWords(error: string): string {
  return error.replace(
    /^(?:failed to solve(?: with frontend [\w.]+)?: |failed to create LLB definition: |rpc error: code = \w+ desc = )+/,
    '',
  );
}
