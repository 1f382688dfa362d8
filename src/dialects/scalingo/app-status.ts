/** The one word that this API has for how an app is, from what really runs. Pure. */
import type { App } from '../../core/apps/app.ts';
import type { AppActivity } from '../../core/apps/app-activity.ts';
import type { Process } from '../../core/processes/process.ts';
import { unprocessable } from './errors.ts';

export type AppStatus = 'new' | 'running' | 'stopped' | 'crashed' | 'restarting' | 'scaling' | 'booting';

export function appStatus(
  app: Pick<App, 'stopped' | 'maintenance'>,
  processes: readonly Pick<Process, 'quantity' | 'stopped'>[],
  activity: AppActivity | undefined,
): AppStatus {
  const { ready = 0, crashed = 0, openOperations = [], pendingRelease = null, deployed = null } = activity ?? {};
  if (deployed === null && pendingRelease === null) return 'new';
  // Changed variables reach an app by a release too, which is no deployment to this API.
  if (pendingRelease === 'deploy' || pendingRelease === 'rollback') return 'booting';
  if (openOperations.includes('restart')) return 'restarting';
  if (openOperations.some((kind) => kind === 'scale' || kind === 'start' || kind === 'stop')) return 'scaling';
  if (ready > 0) return 'running';
  const rests = app.stopped || app.maintenance || processes.every(({ quantity, stopped }) => stopped || quantity === 0);
  if (rests) return 'stopped';
  return crashed > 0 ? 'crashed' : 'booting';
}

const busy: ReadonlySet<AppStatus> = new Set(['restarting', 'scaling', 'booting']);

/** Throws 422 while the app is on its way to something else. */
export function refuseBusy(status: AppStatus): void {
  if (busy.has(status)) throw unprocessable('app', `is ${status}, wait for this operation to end`);
}
