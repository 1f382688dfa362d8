import { systemActor } from '../../../core/access/actor.ts';
import type { PlatformEvent } from '../../../core/events/event.ts';
import type { EventPeople } from '../../../core/events/people.ts';
import { shortId } from '../../../core/names.ts';
import { type Person, personShape } from '../user-shape.ts';
import { textOf } from './event-data.ts';
import type { EventReader } from './reader.ts';
import { typedData } from './type-data.ts';

export interface EventShape {
  readonly id: string;
  readonly created_at: string;
  readonly type: string;
  readonly type_data: Readonly<Record<string, unknown>>;
  /** Null where the platform or an add-on acted. */
  readonly user: Person | null;
  readonly app_id?: string;
  /** What the app was called then. */
  readonly app_name?: string;
}

/** Throws for an event that this API does not show. */
export function eventShape(event: PlatformEvent, people: EventPeople, reader: EventReader): EventShape {
  const { type, data } = typedData(event, reader);
  return {
    id: shortId(event.id),
    created_at: event.at.toISOString(),
    type,
    type_data: data,
    user: userOf(event, people),
    ...(event.appId === null ? {} : { app_id: shortId(event.appId), app_name: textOf(event.data, 'app') }),
  };
}

/** Names in events' data that stand for people. */
export const namesIn = (events: readonly PlatformEvent[]): readonly string[] =>
  events.flatMap(({ data }) => (typeof data.by === 'string' ? [data.by] : []));

function userOf(event: PlatformEvent, people: EventPeople): Person | null {
  const known = event.actorId === null ? undefined : people.byId.get(event.actorId);
  if (known !== undefined) return personShape(known);
  // What the platform did at the end of somebody's deployment was that person's doing; a provider is nobody here.
  const name = textOf(event.data, 'by') || event.actorName;
  if (name === systemActor.name || event.data.byProvider === true) return null;
  const named = event.actorId === null ? people.byName.get(name.toLowerCase()) : undefined;
  return named === undefined
    ? { id: event.actorId === null ? '' : shortId(event.actorId), username: name, email: '' }
    : personShape(named);
}
