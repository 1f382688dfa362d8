import { forbidden, notFound } from '../errors.ts';
import type { Permission } from '../permissions.ts';
import { type Actor, can, type Place } from './actor.ts';

/** Refuses with `forbidden` unless the actor holds the permission there. */
export function demand(actor: Actor, permission: Permission, place: Place = {}): void {
  if (!can(actor, permission, place))
    throw forbidden(`you need the permission ${permission || '(all)'} for this`, 'permission');
}

/**
 * For a thing that was looked up: without `read` it answers as if it were not there, without `permission` it is forbidden.
 */
export function demandOn(
  actor: Actor,
  noun: string,
  reference: string,
  read: Permission,
  permission: Permission,
  place: Place,
): void {
  if (!can(actor, read, place) && !can(actor, permission, place)) throw notFound(noun, reference);
  demand(actor, permission, place);
}
