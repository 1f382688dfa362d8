/** What instances use, one message for each and every tick. A reader that is too slow misses ticks, and a message says how many. */
import { setTimeout as wait } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import type { InstanceStats } from '../../../core/ports/engine.ts';
import { readTree } from '../app-tree.ts';
import type { GiantSwarmParts } from '../settings.ts';
import { seatsIn } from './find-instance.ts';
import { sendAll } from './socket-sender.ts';
import { statsShape } from './stats-shape.ts';
import type { StreamReader } from './stream-access.ts';
import type { WatchedApp } from './watched-apps.ts';

/** The first message does not wait for a whole tick. */
const FIRST_MS = 250;

export interface StatsStream {
  /** Asked anew for every tick. */
  readonly reader: () => StreamReader;
  readonly apps: () => readonly WatchedApp[];
  readonly intervalMs: number;
}

/** Resolves when the signal aborts. */
export async function streamStats(
  parts: GiantSwarmParts,
  stream: StatsStream,
  socket: WebSocket,
  signal: AbortSignal,
): Promise<void> {
  let before = await readings(parts, stream);
  let missed = 0;
  let sending = false;
  for (let pauseMs = FIRST_MS; ; pauseMs = stream.intervalMs) {
    await wait(pauseMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    if (sending) {
      missed += 1;
      continue;
    }
    const now = await readings(parts, stream);
    const messages = await messagesOf(parts, stream, now, before);
    before = now;
    sending = true;
    const notice = missed === 0 ? [] : [JSON.stringify({ SkippedTicks: missed })];
    missed = 0;
    void sendAll(socket, [...notice, ...messages]).then(() => {
      sending = false;
    });
  }
}

type Readings = ReadonlyMap<string, InstanceStats>;

/** By the core's instance id. What cannot be read now is left out. */
async function readings({ core, logger }: GiantSwarmParts, stream: StatsStream): Promise<Readings> {
  const found = await Promise.all(
    stream.apps().map(({ app }) =>
      core.instances.stats(stream.reader().actor, app.id).catch((error: unknown) => {
        logger.debug({ err: error, appId: app.id }, 'a stream of stats misses an app');
        return [];
      }),
    ),
  );
  return new Map(found.flat().map((reading) => [reading.id, reading]));
}

async function messagesOf(
  { core, settings, logger }: GiantSwarmParts,
  stream: StatsStream,
  now: Readings,
  before: Readings,
): Promise<readonly string[]> {
  const shapes = stream.apps().map(async ({ app, ids }) => {
    try {
      const tree = await readTree(core, stream.reader().actor, app, settings.registryHost);
      return seatsIn(tree)
        .filter(({ seat }) => ids === null || ids.has(seat.id))
        .map((found) => {
          const id = found.seat.instance?.id ?? '';
          return JSON.stringify({ InstanceId: found.seat.id, ...statsShape(found, now.get(id), before.get(id)) });
        });
    } catch (error) {
      logger.debug({ err: error, appId: app.id }, 'a stream of stats misses an app');
      return [];
    }
  });
  return (await Promise.all(shapes)).flat();
}
