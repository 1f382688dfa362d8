/** New lines of instances, one message each. A reader that is too slow loses the oldest, and a line says how many. */
import type { WebSocket } from 'ws';
import type { LogFilter, LogLine } from '../../../core/ports/log-store.ts';
import { readTree } from '../app-tree.ts';
import type { GiantSwarmParts } from '../settings.ts';
import { seatsIn } from './find-instance.ts';
import { logText } from './log-line.ts';
import { sendAll } from './socket-sender.ts';
import type { StreamReader } from './stream-access.ts';
import type { WatchedApp } from './watched-apps.ts';

/** Of those that were written between the token and the stream. */
const MISSED_LINES = 1000;

/** Resolves when the app's log can be read no further, or the signal aborts. */
export async function streamLogs(
  { core, settings, clock }: GiantSwarmParts,
  { actor }: StreamReader,
  { app, ids }: WatchedApp,
  since: Date,
  socket: WebSocket,
  signal: AbortSignal,
): Promise<void> {
  const tree = await readTree(core, actor, app, settings.registryHost);
  const chosen = seatsIn(tree).filter(({ seat }) => ids === null || ids.has(seat.id));
  const places = new Set(
    chosen.map(({ component, seat }) => placeOf({ process: component.process.type, seat: seat.seat })),
  );
  const [only, ...others] = ids === null ? [] : chosen;
  const filter: LogFilter =
    only === undefined || others.length > 0 ? {} : { process: only.component.process.type, seat: only.seat.seat };
  // All of an app: also seats that come later.
  const isWanted = (line: LogLine): boolean =>
    line.at >= since && line.seat !== '' && (ids === null || places.has(placeOf(line)));
  const { lines } = await core.logs.read(actor, app.id, { lines: MISSED_LINES, follow: true, filter, signal });
  for await (const batch of lines) {
    if (signal.aborted) return;
    const texts = batch.lines.filter(isWanted).map(logText);
    const text = `${batch.dropped} lines were left out, this reader is too slow`;
    const notice = batch.dropped === 0 ? [] : [logText({ at: clock.now(), source: 'platform', text })];
    await sendAll(socket, [...notice, ...texts]);
  }
}

const placeOf = ({ process, seat }: Pick<LogLine, 'process' | 'seat'>): string => `${process} ${seat}`;
