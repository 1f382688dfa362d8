/** Carries the output of one instance into its app's log, from start to end, over restarts of the daemon and of this process. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../core/ports/clock.ts';
import type { LogStore } from '../../core/ports/log-store.ts';
import type { Logger } from '../../lib/logger.ts';
import type { DockerApi } from './api/docker-api.ts';
import { isStatus } from './api/docker-error.ts';
import type { ContainerState } from './api/shapes.ts';
import { diedOfMemory } from './exit.ts';
import type { Identity } from './identity.ts';
import { platformLine, printedLine, streamOf } from './log-lines.ts';
import type { Notes } from './notes.ts';
import { OutputReader, OutputUnreadable } from './output-reader.ts';
import { inspectContainer } from './standing-container.ts';

export interface FollowerOptions {
  readonly api: DockerApi;
  readonly identity: Identity;
  readonly container: string;
  readonly notes: Notes;
  readonly append: LogStore['append'];
  readonly logger: Logger;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const retryMs = 200;
const endMs = 10;
/** A daemon that answers, and so many times in a row cannot read on in the log, will not be able to. */
const mostRefusals = 5;
const missing = {
  rest: 'the rest of its output could not be read',
  part: 'a part of its output could not be read',
} as const;

/**
 * Resolves when it ended and all of its output that can be had is in the log. Goes on when the container is taken away: the daemon hands out
 * to the end what it has begun with. Rejects only when `signal` aborts.
 */
export async function followOutput(options: FollowerOptions): Promise<void> {
  const { identity, notes, logger, clock, signal } = options;
  if (notes.of(identity.id).isComplete) return;
  const reader = readerOf(options);
  let refusals = 0;
  let taken = 0;
  let isWhole = true;
  let hasSkipped = false;
  for (;;) {
    try {
      const state = await stateOf(options);
      const isDamaged = refusals >= mostRefusals;
      if (state !== null && isUp(state)) {
        if (isDamaged) {
          if (!hasSkipped) await say(options, clock.now(), missing.part);
          hasSkipped = true;
          await reader.readOn(signal);
        } else {
          await reader.read(true, signal);
          refusals = 0;
        }
        isWhole = true;
        // The stream ends a moment before the container is said to have ended.
        await delay(endMs, undefined, { signal });
        continue;
      }
      if (state !== null && !isDamaged) {
        await reader.read(false, signal);
        isWhole = true;
      }
      await reader.end();
      if (!isWhole && !hasSkipped) await say(options, clock.now(), missing.rest);
      if (state !== null) await sayWhy(options, state);
      notes.change(identity.id, { isComplete: true });
      return;
    } catch (error) {
      signal.throwIfAborted();
      isWhole = false;
      logger.debug({ error, instance: identity.id }, 'its output is out of reach; trying again');
      // What lies before the damage comes in several goes: the daemon may give up with lines in its hands.
      if (reader.taken > taken) refusals = 0;
      taken = reader.taken;
      if (isRefusal(error)) refusals += 1;
      await delay(retryMs, undefined, { signal });
    }
  }
}

/** The daemon is there and does not hand the log out. */
const isRefusal = (error: unknown): boolean => error instanceof OutputUnreadable || isStatus(error, 409, 500);

/** What never started has printed nothing more to wait for. */
const isUp = ({ Running, Status }: ContainerState): boolean =>
  Running || Status === 'paused' || Status === 'restarting';

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
          lines.map(({ at, text }) => printedLine(identity, at, text)),
        );
      } catch (error) {
        logger.warn({ error, lines: lines.length }, 'log lines were lost: the log store refused them');
      }
      notes.change(identity.id, marks);
    },
  });
}

async function sayWhy(options: FollowerOptions, state: ContainerState): Promise<void> {
  if (!state.OOMKilled) return;
  const { identity, notes } = options;
  const limit = `at its limit of ${Math.round(identity.memoryBytes / 2 ** 20)} MiB`;
  const text = diedOfMemory(state, notes.of(identity.id).sent)
    ? `Error R15 (Memory quota vastly exceeded): killed ${limit}`
    : `one of its processes was killed ${limit} of memory`;
  await say(options, new Date(state.FinishedAt), text);
}

async function say({ identity, append, logger }: FollowerOptions, at: Date, text: string): Promise<void> {
  try {
    await append(streamOf(identity), [platformLine(identity, at, text)]);
  } catch (error) {
    logger.warn({ error, instance: identity.id }, 'a log line was lost: the log store refused it');
  }
}
