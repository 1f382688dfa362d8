import { createHash } from 'node:crypto';
import type { App } from '../apps/app.ts';
import type { InstanceCommand } from '../ports/engine.ts';
import type { ProcessView } from '../processes/process.ts';
import type { Release } from '../releases/release.ts';

/** What a process runs in a release. */
export interface Runnable {
  readonly artifactDigest: string;
  readonly command: InstanceCommand;
  readonly series: number;
}

/** Null: the release has nothing for this process. A process's own command goes before that of its artifact. */
export function runnableOf(
  process: Pick<ProcessView, 'type' | 'command' | 'image'>,
  release: Pick<Release, 'artifactDigest' | 'commands' | 'processes'>,
): Runnable | null {
  if (process.image !== null) {
    const own = release.processes[process.type];
    if (own === undefined) return null;
    return { artifactDigest: own.artifactDigest, command: process.command ?? own.command, series: own.series };
  }
  const command = process.command ?? release.commands[process.type];
  if (command === undefined || release.artifactDigest === null) return null;
  return { artifactDigest: release.artifactDigest, command: runnableCommand(command), series: 0 };
}

/** A build's command as an engine runs it: an empty one is what the image says itself. */
export const runnableCommand = (command: string): InstanceCommand => (command === '' ? { arguments: null } : command);

/**
 * The hash of everything that would need a new instance. Two releases of the same content have the same generation, so releasing
 * again what runs replaces nothing. What is fixed when a process is made (mounts, links, its own variables) is left out.
 */
export function generationOf(
  app: Pick<App, 'restartGeneration'>,
  process: ProcessView,
  release: Pick<Release, 'configSnapshotId'>,
  runnable: Runnable,
): string {
  const parts = [
    runnable.artifactDigest,
    release.configSnapshotId,
    runnable.command,
    runnable.series,
    process.ports,
    process.routed,
    process.memoryBytes,
    process.cpuShares,
    process.pids,
    app.restartGeneration,
    process.restartGeneration,
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

const MOVED = 'moved-';
/** Of an instance that is to run elsewhere: no release has it, so that the strategy replaces the instance. */
export const movedGeneration = (generation: string): string =>
  isMoved(generation) ? generation : `${MOVED}${generation}`;
export const isMoved = (generation: string): boolean => generation.startsWith(MOVED);

/** For people to read: what an image says itself is empty. */
export function commandLine(command: InstanceCommand): string {
  if (typeof command === 'string') return command;
  return ('arguments' in command ? (command.arguments ?? []) : command).join(' ');
}
