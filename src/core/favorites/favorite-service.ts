import type { Actor } from '../access/actor.ts';
import type { AppView } from '../apps/app.ts';
import { fetchApp } from '../apps/app-access.ts';
import { BerthError, notFound } from '../errors.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Favorite, FavoriteView } from './favorite.ts';

/** Everybody's own list; an app that its owner may no longer see is left out. */
export class FavoriteService {
  readonly #context: CoreContext;
  constructor(context: CoreContext) {
    this.#context = context;
  }

  async list(actor: Actor, owner: string): Promise<readonly FavoriteView[]> {
    const { db } = this.#context;
    const favorites = await db.favorites.list(owner);
    const views = await Promise.all(
      favorites.map(async (favorite) => {
        const app = await seen(() => fetchApp(db, actor, favorite.appId, 'app.read.info'));
        return app === null ? [] : [{ ...favorite, app }];
      }),
    );
    return views.flat();
  }

  async add(actor: Actor, owner: string, reference: string): Promise<FavoriteView> {
    const { db, clock } = this.#context;
    const app = await fetchApp(db, actor, reference, 'app.read.info');
    const favorite: Favorite = { owner, appId: app.id, createdAt: clock.now() };
    return { ...(await db.favorites.add(favorite)), app };
  }

  /** Throws `not-found` when it is no favorite. */
  async remove(actor: Actor, owner: string, reference: string): Promise<void> {
    const { db } = this.#context;
    const app = await fetchApp(db, actor, reference, 'app.read.info');
    if (!(await db.favorites.remove(owner, app.id))) throw notFound('favorite', reference);
  }
}

async function seen(read: () => Promise<AppView>): Promise<AppView | null> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof BerthError && (error.kind === 'not-found' || error.kind === 'forbidden')) return null;
    throw error;
  }
}
