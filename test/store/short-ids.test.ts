/** Rows that are found by the first 24 digits of their ids. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shortId } from '../../src/core/names.ts';
import { testCore } from '../support/core.ts';

test('an app and an operation are found by a short id; an app that is named like one does not get in between', async (t) => {
  const { core, db, person, createApp } = await testCore(t);
  const ann = await person('ann');
  const id = await createApp(ann, 'shop', 'ann');
  assert.equal((await db.apps.find(shortId(id)))?.id, id);
  assert.equal((await db.apps.findWithProcesses(shortId(id)))?.app.id, id);
  for (const other of ['0'.repeat(24), shortId(id).toUpperCase(), shortId(id).slice(1)])
    assert.equal(await db.apps.find(other), null, other);

  const bob = await person('bob');
  const impostor = await createApp(bob, shortId(id), 'bob');
  assert.equal((await db.apps.find(shortId(id)))?.id, id);
  assert.equal((await db.apps.find(shortId(impostor)))?.id, impostor);

  const operation = await core.apps.restart(ann, id);
  assert.equal((await core.operations.get(ann, 'shop', shortId(operation.id))).id, operation.id);
  assert.equal((await db.operations.find(operation.id))?.status, 'queued');
  await db.operations.begin([operation.id]);
  const begun = await db.operations.find(shortId(operation.id));
  assert.equal(begun?.status, 'running');
  assert.notEqual(begun?.startedAt, null);
  await db.operations.finish(operation.id, null, 'succeeded', null);
  await db.operations.begin([operation.id]);
  assert.equal((await db.operations.find(operation.id))?.status, 'succeeded', 'what has ended does not begin again');
});
