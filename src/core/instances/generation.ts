import { createHash } from 'node:crypto';
import type { App } from '../apps/app.ts';
import type { ProcessView } from '../processes/process.ts';
import type { Release } from '../releases/release.ts';

/** The command that a process runs in a release: its own, or the artifact's. Null: the release has no such process. */
export const commandOf = (
  process: Pick<ProcessView, 'type' | 'command'>,
  release: Pick<Release, 'commands'>,
): string | null => process.command ?? release.commands[process.type] ?? null;

/**
 * The hash of everything that would need a new instance. Two releases of the same content have the same generation, so releasing
 * again what runs replaces nothing.
 */
export function generationOf(
  app: Pick<App, 'restartGeneration'>,
  process: ProcessView,
  release: Pick<Release, 'artifactDigest' | 'configSnapshotId' | 'commands'>,
): string {
  const parts = [
    release.artifactDigest,
    release.configSnapshotId,
    commandOf(process, release),
    process.port,
    process.routed,
    process.memoryBytes,
    process.cpuShares,
    process.pids,
    app.restartGeneration,
    process.restartGeneration,
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}
