import { type Actor, can } from '../access/actor.ts';
import { demand } from '../access/authorize.ts';
import { fetchApp } from '../apps/app-access.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Page, PageRequest } from '../ports/page.ts';
import type { EventFilter, PlatformEvent } from './event.ts';

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
}
