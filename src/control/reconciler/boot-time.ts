/** When an instance should have become healthy. Pure. */
import type { Instance } from '../../core/instances/instance.ts';
import type { EngineInstance } from '../../core/ports/engine.ts';

/** What an engine does before the start (an image is pulled) has limits of its own; this is above all of them. */
const PREPARATION_MS = 20 * 60_000;

/**
 * Whether its time is over: `bootTimeoutMs` from its start on. That its image takes long to come is no fault of the app. A node's clock
 * may be behind; then the row's time counts.
 */
export function isBootOver(
  row: Pick<Instance, 'createdAt'>,
  { state, startedAt }: Pick<EngineInstance, 'state' | 'startedAt'>,
  bootTimeoutMs: number,
  now: Date,
): boolean {
  const createdMs = row.createdAt.getTime();
  if (startedAt === null && state === 'starting')
    return now.getTime() - createdMs >= Math.max(PREPARATION_MS, bootTimeoutMs);
  return now.getTime() - Math.max(createdMs, startedAt?.getTime() ?? 0) >= bootTimeoutMs;
}
