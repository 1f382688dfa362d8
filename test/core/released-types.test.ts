/** Types of process that an app's release has a command for: they come to be by being scaled. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../src/core/ports/secret.ts';
import { testCore } from '../support/core.ts';
import { finishBuild } from '../support/served.ts';
import { refusedAs } from '../support/sign-in.ts';

test('a released type is made by its first change; any other type is not there, and nothing of the change is done', async (t) => {
  const { core, db, person, createApp } = await testCore(t);
  const ann = await person('ann');
  const id = await createApp(ann, 'shop', 'ann');
  const scaleWorker = () => core.processes.update(ann, 'shop', [{ type: 'worker', quantity: 2 }]);
  await assert.rejects(scaleWorker, refusedAs('not-found'));

  const source = { kind: 'archive', url: new Secret('data:,x'), checksum: null } as const;
  const { id: build } = await core.builds.create(ann, id, { source });
  await finishBuild(db, build);
  await core.releases.deploy(ann, id, build);
  const changes = [
    { type: 'web', quantity: 3 },
    { type: 'cron', quantity: 1 },
  ];
  await assert.rejects(() => core.processes.update(ann, 'shop', changes), refusedAs('not-found'));
  assert.deepEqual(
    (await db.processes.list(id)).map(({ type, quantity }) => [type, quantity]),
    [['web', 1]],
  );
  const { processes } = await scaleWorker();
  assert.deepEqual(
    processes.map(({ type, quantity }) => [type, quantity]),
    [
      ['web', 1],
      ['worker', 2],
    ],
  );
});
