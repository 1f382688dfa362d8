/** Carries the output of one instance into its app's log, from start to end, over restarts of the daemon and of this process. */
import { setTimeout as delay } from 'node:timers/promises';
import type { LogLine, LogStore } from '../../core/ports/log-store.ts';
import type { Logger } from '../../lib/logger.ts';
import type { DockerApi } from './api/docker-api.ts';
import { isStatus } from './api/docker-error.ts';
import type { ContainerState } from './api/shapes.ts';
import type { Identity } from './identity.ts';
import type { Notes } from './notes.ts';
import { OutputReader, type ReadLine } from './output-reader.ts';
import { inspectContainer } from './standing-container.ts';

export interface FollowerOptions {
  readonly api: DockerApi;
  readonly identity: Identity;
  readonly container: string;
  readonly notes: Notes;
  readonly append: LogStore['append'];
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

const retryMs = 200;

/** Resolves when it ended and all that it printed is in the log, or is gone. Rejects only when `signal` aborts. */
export async function followOutput(options: FollowerOptions): Promise<void> {
  const { identity, notes, logger, signal } = options;
  if (notes.of(identity.id).isComplete) return;
  const reader = readerOf(options);
  for (;;) {
    try {
      const before = await stateOf(options);
      await reader.read(isUp(before), signal);
      if (before === null || !isUp(before)) {
        await reader.end();
        if (before !== null) await sayWhy(options, before);
        notes.change(identity.id, { isComplete: true });
        return;
      }
    } catch (error) {
      signal.throwIfAborted();
      if (isStatus(error, 404, 409)) return;
      logger.debug({ error, instance: identity.id }, 'its output is out of reach; trying again');
      await delay(retryMs, undefined, { signal });
    }
  }
}

/** What never started has printed nothing more to wait for. */
const isUp = (state: ContainerState | null): boolean =>
  state !== null && (state.Running || state.Status === 'paused' || state.Status === 'restarting');

async function stateOf({ api, container }: FollowerOptions): Promise<ContainerState | null> {
  return (await inspectContainer(api, container))?.State ?? null;
}

function readerOf({ api, identity, container, notes, append, logger }: FollowerOptions): OutputReader {
  const { stdout, stderr } = notes.of(identity.id);
  return new OutputReader({
    api,
    container,
    marks: { stdout, stderr },
    take: async (lines, marks) => {
      try {
        await append(
          streamOf(identity),
          lines.map((line) => logLine(identity, line)),
        );
      } catch (error) {
        logger.warn({ error, lines: lines.length }, 'log lines were lost: the log store refused them');
      }
      notes.change(identity.id, marks);
    },
  });
}

async function sayWhy({ identity, append }: FollowerOptions, state: ContainerState): Promise<void> {
  if (!state.OOMKilled) return;
  const mebibytes = Math.round(identity.memoryBytes / 2 ** 20);
  const text = `Error R15 (Memory quota vastly exceeded): killed at its limit of ${mebibytes} MiB`;
  await append(streamOf(identity), [
    { ...logLine(identity, { at: new Date(state.FinishedAt), text }), source: 'platform' },
  ]);
}

const streamOf = ({ appId }: Identity): string => `apps/${appId}`;

const logLine = ({ id, processType, seat }: Identity, { at, text }: ReadLine): LogLine => ({
  at,
  source: 'app',
  process: processType,
  instance: id,
  seat,
  text,
});
