import type { Actor } from '../../core/access/actor.ts';
import type { Build } from '../../core/builds/build.ts';
import type { Core } from '../../core/core.ts';

/** Builds with more output show its end. */
const LINES_MAX = 20_000;

/** A build's output so far; once it has ended, the last line says how, in the words that clients wait for. */
export async function buildLines(core: Core, actor: Actor, app: string, build: Build): Promise<readonly string[]> {
  const lines: string[] = [];
  const batches = await core.builds.log(actor, app, build.id, { lines: LINES_MAX, follow: false });
  for await (const batch of batches) for (const line of batch.lines) lines.push(line.text);
  return [...lines, ...ending(build)];
}

function ending(build: Build): readonly string[] {
  if (build.status === 'succeeded') return ['Finished: SUCCESS'];
  if (build.status !== 'failed' && build.status !== 'cancelled') return [];
  return [...(build.failureMessage === null ? [] : [build.failureMessage]), 'Finished: FAILURE'];
}
