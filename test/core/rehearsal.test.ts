/** Creating an app only in rehearsal: the same refusals, the same view, and nothing is left of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testCore } from '../support/core.ts';
import { refusedAs } from '../support/sign-in.ts';
import { until } from '../support/until.ts';

test('a rehearsal shows what would be made, and makes nothing', async (t) => {
  const { core, db, person, spaceId, createApp } = await testCore(t);
  const ann = await person('ann');
  const wakes: string[] = [];
  t.after(db.onWake((topic, id) => void wakes.push(`${topic} ${id}`)));
  const events = async () => (await db.events.list({}, { limit: 100 })).items.length;
  const before = await events();
  const input = {
    name: 'shop',
    team: 'ann',
    spaceId,
    processes: [{ type: 'web', quantity: 2 }],
    annotations: { note: 'x' },
  };
  const view = await core.apps.rehearse(ann, input);
  assert.deepEqual([view.name, view.handle, view.teamName, view.deletedAt], ['shop', 'shop', 'ann', null]);
  assert.deepEqual([await db.apps.find('shop'), await db.apps.findAny(view.id)], [null, null]);
  assert.deepEqual(await db.processes.list(view.id), []);
  assert.equal(await events(), before);
  const id = await createApp(ann, 'shop', 'ann');
  await until('the real one is told of', () => wakes.includes(`routing ${id}`));
  assert.ok(!wakes.includes(`routing ${view.id}`));

  await assert.rejects(() => core.apps.rehearse(ann, input), refusedAs('conflict', 'app-exists'));
  await assert.rejects(() => core.apps.rehearse(ann, { ...input, name: 'No' }), refusedAs('invalid', 'malformed'));
  const bob = await person('bob');
  await assert.rejects(
    () => core.apps.rehearse(bob, { ...input, name: 'other' }),
    refusedAs('forbidden', 'permission'),
  );
});
