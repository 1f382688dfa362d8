import type { AppView } from '../apps/app.ts';
import type { Id } from '../names.ts';

/** An app that somebody keeps at hand. */
export interface Favorite {
  /** A username. */
  readonly owner: string;
  readonly appId: Id<'app'>;
  readonly createdAt: Date;
}
export interface FavoriteView extends Favorite {
  readonly app: AppView;
}
export interface FavoriteStore {
  /** Oldest first. */
  list(owner: string): Promise<readonly Favorite[]>;
  /** Adding twice is one favorite. Gives the one that is there after. */
  add(favorite: Favorite): Promise<Favorite>;
  /** Says whether it was there. */
  remove(owner: string, appId: Id<'app'>): Promise<boolean>;
}
