/** Who asks, with what they may do. Made by the Authenticator from credentials; every service takes it first. */
import type { Id } from '../names.ts';
import { type ContextType, covers, type Permission } from '../permissions.ts';

export interface Grant {
  readonly permission: Permission;
  readonly context: ContextType;
  /** The id of the team, app or pool; null in the global context. */
  readonly contextId: Id | null;
  /** What it leaves out of all that its permission covers. */
  readonly except?: readonly Permission[];
}

export interface Actor {
  readonly kind: 'user' | 'team' | 'system';
  readonly userId: Id<'user'> | null;
  /** Shown in events. */
  readonly name: string;
  readonly email: string;
  /** The token that was shown, so that it can be revoked by its owner. */
  readonly tokenId: Id<'token'> | null;
  /** Teams the user belongs to. */
  readonly teamIds: readonly Id<'team'>[];
  readonly grants: readonly Grant[];
}

/** Where a thing lies, for deciding whether a grant reaches it. */
export interface Place {
  readonly teamId?: Id<'team'> | null;
  readonly appId?: Id<'app'>;
  readonly poolId?: Id<'pool'>;
  readonly userId?: Id<'user'>;
  readonly addonId?: Id<'addon'>;
  readonly serviceId?: Id<'service'>;
}

/** The platform itself (controllers, boot). */
export const systemActor: Actor = {
  kind: 'system',
  userId: null,
  name: 'System',
  email: '',
  tokenId: null,
  teamIds: [],
  grants: [{ permission: '', context: 'global', contextId: null }],
};

const reaches = (grant: Grant, place: Place): boolean => {
  switch (grant.context) {
    case 'global':
      return true;
    case 'team':
      return place.teamId != null && grant.contextId === place.teamId;
    case 'app':
      return place.appId !== undefined && grant.contextId === place.appId;
    case 'pool':
      return place.poolId !== undefined && grant.contextId === place.poolId;
    case 'user':
      return place.userId !== undefined && grant.contextId === place.userId;
    case 'service-instance':
      return place.addonId !== undefined && grant.contextId === place.addonId;
    case 'service':
      return place.serviceId !== undefined && grant.contextId === place.serviceId;
    default:
      return false;
  }
};

const includes = (grant: Grant, permission: Permission): boolean =>
  covers(grant.permission, permission) && !grant.except?.some((left) => covers(left, permission));

/** Whether the actor holds the permission in a context that reaches the place. */
export function can(actor: Actor, permission: Permission, place: Place = {}): boolean {
  return actor.grants.some((grant) => includes(grant, permission) && reaches(grant, place));
}

/** What of a noun the actor may list: all of it, or what lies in these teams, apps, pools. */
export type Visibility =
  | 'all'
  | { readonly teamIds: readonly Id[]; readonly appIds: readonly Id[]; readonly poolIds: readonly Id[] };

export function visibility(actor: Actor, permission: Permission): Visibility {
  const held = actor.grants.filter((grant) => includes(grant, permission));
  if (held.some((grant) => grant.context === 'global')) return 'all';
  const of = (context: ContextType): Id[] =>
    held.flatMap((grant) => (grant.context === context && grant.contextId !== null ? [grant.contextId] : []));
  return { teamIds: of('team'), appIds: of('app'), poolIds: of('pool') };
}
