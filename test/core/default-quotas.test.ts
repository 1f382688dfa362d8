/** Limits that the platform sets for all, and those of a team's or app's own, which count instead. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemActor } from '../../src/core/access/actor.ts';
import { AppService } from '../../src/core/apps/app-service.ts';
import { ProcessService } from '../../src/core/processes/process-service.ts';
import { QuotaService } from '../../src/core/quotas/quota-service.ts';
import { systemClock, systemIds } from '../../src/lib/clock.ts';
import { testCore } from '../support/core.ts';
import { testBox } from '../support/postgres.ts';
import { refusedAs } from '../support/sign-in.ts';

test('a default quota counts until there is an own one', async (t) => {
  const { db, person, spaceId } = await testCore(t);
  const context = { db, clock: systemClock, ids: systemIds, box: testBox, defaultQuotas: { apps: 1, instances: 3 } };
  const [apps, processes, quotas] = [
    new AppService(context, 'berth.test'),
    new ProcessService(context),
    new QuotaService(context),
  ];
  const ann = await person('ann');
  const create = (name: string) =>
    apps.create(ann, { name, team: 'ann', spaceId, processes: [{ type: 'web', quantity: 1 }] });
  await create('first');
  assert.deepEqual(await quotas.ofTeam(systemActor, 'ann'), { limit: 1, used: 1 });
  await assert.rejects(() => create('second'), refusedAs('quota', 'apps'));
  await quotas.setOfTeam(systemActor, 'ann', -1);
  await create('second');

  assert.deepEqual(await quotas.ofApp(ann, 'first'), { limit: 3, used: 1 });
  await processes.scale(ann, 'first', 'web', 3);
  await assert.rejects(() => processes.scale(ann, 'first', 'web', 4), refusedAs('quota', 'instances'));
  await quotas.setOfApp(systemActor, 'first', 4);
  await processes.scale(ann, 'first', 'web', 4);
  await assert.rejects(() => processes.scale(ann, 'second', 'web', 4), refusedAs('quota', 'instances'));
});
