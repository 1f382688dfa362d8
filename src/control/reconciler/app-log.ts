import type { Instance } from '../../core/instances/instance.ts';
import { seatOf } from '../../core/instances/seat.ts';
import { appLogStream } from '../../core/logs/log-service.ts';
import type { ControlContext } from '../control-context.ts';

/** A platform line in the app's log, of one instance where it tells of one; a log that cannot be written never stops a deploy. */
export async function noteInAppLog(
  context: Pick<ControlContext, 'logs' | 'clock' | 'logger'>,
  appId: string,
  text: string,
  about?: Pick<Instance, 'id' | 'processType' | 'series' | 'ordinal'>,
): Promise<void> {
  const place =
    about === undefined
      ? { process: '', instance: '', seat: '' }
      : { process: about.processType, instance: about.id, seat: seatOf(about) };
  try {
    await context.logs.append(appLogStream(appId), [{ at: context.clock.now(), source: 'platform', ...place, text }]);
  } catch (error) {
    context.logger.warn({ err: error, appId }, 'the app log could not be written');
  }
}

/** The last lines that an instance printed, for telling why it failed. */
export async function lastLines(
  context: ControlContext,
  appId: string,
  instanceId: string,
  lines: number,
): Promise<readonly string[]> {
  const found: string[] = [];
  const filter = { source: 'app', instance: instanceId } as const;
  for await (const batch of await context.logs.read(appLogStream(appId), { lines, follow: false, filter })) {
    found.push(...batch.lines.map((line) => line.text));
  }
  return found.slice(-lines);
}
