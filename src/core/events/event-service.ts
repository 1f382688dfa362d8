import { type Actor, can } from '../access/actor.ts';
import { demand } from '../access/authorize.ts';
import { fetchApp } from '../apps/app-access.ts';
import { notFound } from '../errors.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Page, PageRequest } from '../ports/page.ts';
import type { EventFilter, EventSlice, PlatformEvent, Slice } from './event.ts';
import { type EventSelection, reachOf } from './event-selection.ts';
import { type EventPeople, findPeople } from './people.ts';

export interface EventQuestion {
  /** By handle, name or id; absent: whatever is the actor's own. */
  readonly app?: string;
  readonly selections: readonly EventSelection[];
  /** Not older. */
  readonly since?: Date;
}

export class EventService {
  readonly #context: CoreContext;
  constructor(context: CoreContext) {
    this.#context = context;
  }

  /** Of one app: whoever may read its events. Of everything: only with the permission everywhere. Newest first. */
  async list(actor: Actor, filter: EventFilter, page: PageRequest): Promise<Page<PlatformEvent>> {
    if (filter.appId !== undefined) await fetchApp(this.#context.db, actor, filter.appId, 'app.read.events');
    else if (!can(actor, 'app.read.events')) demand(actor, 'app.read.events');
    return this.#context.db.events.list(filter, page);
  }

  /**
   * A numbered page of one app's events, or of the actor's own: of their apps, of those that their teams had when they were deleted, and
   * of themselves. Newest first.
   */
  async slice(actor: Actor, question: EventQuestion, slice: Slice): Promise<EventSlice> {
    return this.#context.db.events.slice(await this.#filter(actor, question), slice);
  }

  /** One of those, by id or short id. Throws not-found `event`. */
  async get(actor: Actor, question: EventQuestion, reference: string): Promise<PlatformEvent> {
    const found = await this.#context.db.events.find(reference, await this.#filter(actor, question));
    if (found === null) throw notFound('event', reference);
    return found;
  }

  /** Who did what; `names`: further ones that stand in the events' data. Of events that the actor has listed already. */
  peopleOf(events: readonly PlatformEvent[], names: readonly string[] = []): Promise<EventPeople> {
    return findPeople(this.#context.db, events, names);
  }

  async #filter(actor: Actor, { app, selections, since }: EventQuestion): Promise<EventFilter> {
    const common = { selections, ...(since === undefined ? {} : { since }) };
    if (app === undefined) return { ...common, reach: reachOf(actor) };
    return { ...common, appId: (await fetchApp(this.#context.db, actor, app, 'app.read.events')).id };
  }
}
