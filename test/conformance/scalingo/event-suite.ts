/** Apps and their timelines over the wire, for the tests of events. */
import assert from 'node:assert/strict';
import { systemActor } from '../../../src/core/access/actor.ts';
import type { EventKind } from '../../../src/core/events/event.ts';
import { record } from '../../../src/core/events/record.ts';
import { systemClock, systemIds } from '../../../src/lib/clock.ts';
import { testBox } from '../../support/postgres.ts';
import { type Answer, type Send, servedForSuite } from './served.ts';

export interface Event {
  readonly id: string;
  readonly created_at: string;
  readonly type: string;
  readonly type_data: Readonly<Record<string, unknown>>;
  readonly user: { readonly id: string; readonly username: string; readonly email: string } | null;
  readonly app_id?: string;
  readonly app_name?: string;
}
export interface Page {
  readonly events: readonly Event[];
  readonly meta: Readonly<Record<string, unknown>> & { readonly pagination: Readonly<Record<string, unknown>> };
}

export const pageOf = (answer: Answer): Page => {
  assert.equal(answer.status, 200, answer.text);
  return answer.json<Page>();
};

/** To be called within the suite. */
export function eventSuite() {
  const served = servedForSuite();
  const { get, person } = served;

  /** Events of the path, oldest first. */
  const timeline = async (send: Send, path: string, headers?: Record<string, string>): Promise<readonly Event[]> =>
    pageOf(await send('GET', `${path}?per_page=100`, undefined, headers)).events.toReversed();

  async function withApp(name: string) {
    const owner = await person();
    const done = async (...[method, path, body]: Parameters<Send>): Promise<Answer> => {
      const answer = await owner.send(method, path, body);
      assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
      return answer;
    };
    const { id, uuid } = (await done('POST', '/apps', { app: { name } })).json<{ app: { id: string; uuid: string } }>()
      .app;
    return { ...owner, done, id, uuid, path: `/apps/${name}`, events: `/apps/${name}/events` };
  }

  /** Writes an event of the app down as the platform would. */
  async function happen(
    uuid: string,
    kind: EventKind,
    data: Readonly<Record<string, unknown>> = {},
    actor: { readonly name: string; readonly userId: null } = { name: systemActor.name, userId: null },
  ): Promise<void> {
    const { db } = get();
    const app = await db.apps.find(uuid);
    assert.ok(app);
    await record({ db, clock: systemClock, ids: systemIds, box: testBox }, db, actor, kind, { app }, data);
  }
  return { ...served, timeline, withApp, happen };
}
