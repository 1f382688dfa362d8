/** Who stands behind events: accounts by id, and by name those who work on what the events are about. */
import type { Stores } from '../ports/database.ts';
import type { User } from '../users/user.ts';
import type { PlatformEvent } from './event.ts';

type Person = Pick<User, 'id' | 'username' | 'email'>;

export interface EventPeople {
  readonly byId: ReadonlyMap<string, Person>;
  /** In lower case. */
  readonly byName: ReadonlyMap<string, Person>;
}

/**
 * A name alone says little: tokens have names too, chosen by whoever made them. So a name finds members of the events' teams and
 * collaborators of their apps and nobody else, whose address would be given away by it.
 */
export async function findPeople(
  { users }: Pick<Stores, 'users'>,
  events: readonly PlatformEvent[],
  names: readonly string[],
): Promise<EventPeople> {
  const ids = distinct(events.map((event) => event.actorId));
  const nameless = events.flatMap((event) => (event.actorId === null ? [event.actorName] : []));
  const [byId, byName] = await Promise.all([
    users.named(ids),
    users.workingOn(
      distinct([...nameless, ...names]),
      distinct(events.map((event) => event.teamId)),
      distinct(events.map((event) => event.appId)),
    ),
  ]);
  return {
    byId: new Map(byId.map((person) => [person.id, person])),
    byName: new Map(byName.map((person) => [person.username.toLowerCase(), person])),
  };
}

const distinct = <T extends string>(values: readonly (T | null)[]): readonly T[] => [
  ...new Set(values.flatMap((value) => (value === null ? [] : [value]))),
];
