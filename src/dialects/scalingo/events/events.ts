/** What happened to an app, and to all that is the caller's own. */
import type { FastifyReply } from 'fastify';
import type { EventQuestion } from '../../../core/events/event-service.ts';
import { type Call, ok, param, queried, type Route } from '../call.ts';
import { offsetOf, type PageAsked, pageAsked, pageMeta } from '../pages.ts';
import type { ScalingoParts } from '../settings.ts';
import { eventShape, namesIn } from './event-shape.ts';
import { eventCategories, eventTypes } from './event-types.ts';
import { eventReaderOf } from './reader.ts';
import { shownEvents } from './type-data.ts';

const SIZES = { usual: 20, max: 100 };
const FROM_MAX_HOURS = 72;
/** Of events asked for by their age, which has no pages. */
const FROM_MAX_EVENTS = 1_000;
const HOUR_MS = 60 * 60_000;

export function eventRoutes({ core, clock }: ScalingoParts): readonly Route[] {
  async function list(call: Call, app?: string) {
    const hours = hoursInput(call);
    const question: EventQuestion = {
      selections: shownEvents,
      ...(app === undefined ? {} : { app }),
      ...(hours === null ? {} : { since: new Date(clock.now().getTime() - hours * HOUR_MS) }),
    };
    const asked: PageAsked = hours === null ? pageAsked(call, SIZES) : { page: 1, perPage: FROM_MAX_EVENTS };
    const { items, total } = await core.events.slice(call.actor, question, {
      offset: offsetOf(asked),
      limit: asked.perPage,
    });
    const people = await core.events.peopleOf(items, namesIn(items));
    const reader = eventReaderOf(call.headers);
    return ok({
      events: items.map((event) => eventShape(event, people, reader)),
      meta: pageMeta(asked, total),
    });
  }

  async function show(call: Call, app?: string) {
    const question = { selections: shownEvents, ...(app === undefined ? {} : { app }) };
    const event = await core.events.get(call.actor, question, param(call, 'event'));
    const people = await core.events.peopleOf([event], namesIn([event]));
    return ok({ event: eventShape(event, people, eventReaderOf(call.headers)) });
  }

  return [
    { method: 'GET', path: '/v1/events', access: 'signed-in', handle: (call) => list(call) },
    { method: 'GET', path: '/v1/events/:event', access: 'signed-in', handle: (call) => show(call) },
    {
      method: 'GET',
      path: '/v1/apps/:app/events',
      access: 'app.read.events',
      handle: (call) => list(call, param(call, 'app')),
    },
    {
      method: 'GET',
      path: '/v1/apps/:app/events/:event',
      access: 'app.read.events',
      handle: (call) => show(call, param(call, 'app')),
    },
    {
      method: 'GET',
      path: '/v1/event_types',
      access: 'public',
      respond: (_request, reply) => sendPublic(reply, { event_types: eventTypes }),
    },
    {
      method: 'GET',
      path: '/v1/event_categories',
      access: 'public',
      respond: (_request, reply) => sendPublic(reply, { event_categories: eventCategories }),
    },
  ];
}

/** `from`, in hours: at least one and at most 72; null when it is not a number. */
function hoursInput(call: Call): number | null {
  const from = queried(call, 'from') ?? '';
  return /^\d{1,9}$/.test(from) ? Math.min(FROM_MAX_HOURS, Math.max(1, Number(from))) : null;
}

const sendPublic = async (reply: FastifyReply, body: unknown): Promise<FastifyReply> =>
  reply.header('content-type', 'application/json').send(JSON.stringify(body));
