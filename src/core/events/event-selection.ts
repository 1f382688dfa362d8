/** Which events a reader wants, and which it may have: for APIs that show only some kinds, and some only when their data says so. */
import type { Actor } from '../access/actor.ts';
import { visibility } from '../access/actor.ts';
import type { Id } from '../names.ts';
import type { EventKind, PlatformEvent } from './event.ts';

/** Events of these kinds. */
export interface EventSelection {
  readonly kinds: readonly EventKind[];
  /** Only those whose data holds all of this. */
  readonly data?: PlatformEvent['data'];
  /** Only those whose data has this field. */
  readonly has?: string;
}

/** What is somebody's own: of apps that these teams have or that are named here, and what `userId` did that is about no app. */
export interface EventReach {
  readonly teamIds: readonly Id[];
  readonly appIds: readonly Id[];
  readonly userId: Id<'user'> | null;
}

/** Who may read all events has a reach of their own nonetheless: that of their teams, and of the apps they work on. */
export function reachOf(actor: Actor): EventReach {
  const { userId } = actor;
  const visible = visibility(actor, 'app.read.events');
  if (visible !== 'all') return { teamIds: visible.teamIds, appIds: visible.appIds, userId };
  const appIds = actor.grants.flatMap(({ context, contextId }) => (context === 'app' && contextId ? [contextId] : []));
  return { teamIds: actor.teamIds, appIds, userId };
}
