import type { Actor } from '../access/actor.ts';
import type { App } from '../apps/app.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Stores } from '../ports/database.ts';
import type { EventKind, PlatformEvent } from './event.ts';

/** Writes an event in the caller's transaction; it exists if and only if the change does. */
export async function record(
  context: CoreContext,
  stores: Stores,
  actor: Pick<Actor, 'name' | 'userId'>,
  kind: EventKind,
  about: { app?: Pick<App, 'id' | 'teamId' | 'spaceId' | 'handle'>; teamId?: string; spaceId?: string },
  data: PlatformEvent['data'] = {},
): Promise<void> {
  await stores.events.append({
    id: context.ids.id(),
    kind,
    at: context.clock.now(),
    actorName: actor.name,
    actorId: actor.userId,
    teamId: about.app?.teamId ?? about.teamId ?? null,
    spaceId: about.app?.spaceId ?? about.spaceId ?? null,
    appId: about.app?.id ?? null,
    data: about.app === undefined ? data : { app: about.app.handle, ...data },
  });
  await stores.wake('event', '');
}
