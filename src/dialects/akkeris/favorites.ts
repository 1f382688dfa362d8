import type { FavoriteView } from '../../core/favorites/favorite.ts';
import { appKey } from './app-shape.ts';
import { created, ok, param, type Route } from './call.ts';
import { derivedId } from './derived-id.ts';
import { unprocessable } from './errors.ts';
import { fieldsOf, text } from './fields.ts';
import type { AkkerisParts, AkkerisSettings } from './settings.ts';

/** The client for the command line adds each app it creates. */
export function favoriteRoutes({ core, settings }: AkkerisParts): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/favorites',
      access: 'signed-in',
      handle: async ({ actor, username }) =>
        ok((await core.favorites.list(actor, username)).map((favorite) => favoriteShape(favorite, settings))),
    },
    {
      method: 'POST',
      path: '/favorites',
      access: 'app.read.info',
      handle: async ({ actor, username, body }) => {
        const app = text(fieldsOf(body), 'app')?.toLowerCase();
        if (app === undefined || app === '') throw unprocessable('The app was not specified.');
        return created(favoriteShape(await core.favorites.add(actor, username, app), settings));
      },
    },
    {
      method: 'DELETE',
      path: '/favorites/:app',
      access: 'app.read.info',
      handle: async (call) => {
        await core.favorites.remove(call.actor, call.username, param(call, 'app'));
        return { status: 204 };
      },
    },
  ];
}

const favoriteShape = ({ owner, app, createdAt }: FavoriteView, settings: AkkerisSettings): unknown => ({
  id: derivedId(`${owner} ${app.id}`),
  app: app.id,
  simple_name: app.name,
  name: appKey(app),
  git_url: null,
  web_url: settings.appUrl(app.handle),
  organization: { name: app.teamName },
  deleted: false,
  created_at: createdAt.toISOString(),
  updated_at: createdAt.toISOString(),
});
