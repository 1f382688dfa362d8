import type { App } from '../apps/app.ts';
import type { Stores } from '../ports/database.ts';
import type { Release } from './release.ts';

/** What a change builds upon: the release that is under way, else the one that is live. Null before the first. */
export async function baseRelease(stores: Stores, app: Pick<App, 'id' | 'currentReleaseId'>): Promise<Release | null> {
  const pending = await stores.releases.pending(app.id);
  if (pending !== null) return pending;
  return app.currentReleaseId === null ? null : stores.releases.find(app.id, app.currentReleaseId);
}
