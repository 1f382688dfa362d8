/** Attaching to a one-off that waits for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AttachmentService } from '../../src/core/one-offs/attachment-service.ts';
import { HeldOneOffs } from '../../src/core/one-offs/held-one-offs.ts';
import type { ExecSession, TerminalSize } from '../../src/core/ports/engine.ts';
import { SimulatedEngine } from '../../src/engines/simulated/simulated-engine.ts';
import { systemClock, systemIds } from '../../src/lib/clock.ts';
import { testCore } from '../support/core.ts';
import { testBox } from '../support/postgres.ts';

const before = { columns: 100, rows: 30 };
const meanwhile = { columns: 132, rows: 43 };
const after = { columns: 90, rows: 20 };

/** Tells how an instance was started and resized, and does what the test wants between its start and its streams. */
class ToldSizes extends SimulatedEngine {
  readonly started: (TerminalSize | undefined)[] = [];
  readonly resized: TerminalSize[] = [];
  whileStarting: () => Promise<void> = async () => {};

  override async start(spec: Parameters<SimulatedEngine['start']>[0]) {
    this.started.push(spec.terminal);
    return super.start(spec);
  }

  override async attach(id: string): Promise<ExecSession> {
    await this.whileStarting();
    return { ...(await super.attach(id)), resize: async (size) => void this.resized.push(size) };
  }
}

test('a terminal has the size told last, whether it waits, is being started or runs when it is told', async (t) => {
  const { db, person, createApp } = await testCore(t);
  const ann = await person('ann');
  const appId = await createApp(ann, 'shop', 'ann');
  const app = await db.apps.findAny(appId);
  assert.ok(app !== null);
  const engine = new ToldSizes({ clock: systemClock, logAppender: { append: async () => {} } });
  t.after(() => engine.close());
  const held = new HeldOneOffs(() => {});
  const attachments = new AttachmentService(
    { db, clock: systemClock, ids: systemIds, box: testBox },
    engine,
    held,
    null,
  );
  const id = systemIds.id();
  const createdAt = systemClock.now();
  held.add(
    { id, appId: app.id, number: 1, command: 'sh', sizeId: systemIds.id(), state: 'waiting', createdAt, exit: null },
    {
      id,
      kind: 'one-off',
      appId,
      appHandle: 'shop',
      spaceId: app.spaceId,
      processType: 'one-off',
      generation: 'one-off 1 x',
      artifactDigest: `sha256:${'0'.repeat(64)}`,
      command: ['sh'],
      environment: {},
      ports: [],
      limits: { memoryBytes: 2 ** 20, cpuShares: 1, pids: 1 },
      graceMs: 0,
    },
  );
  engine.whileStarting = () => attachments.resize(ann, id, meanwhile);
  await attachments.resize(ann, id, before);
  const taken = await attachments.take(ann, id);
  await taken.start({ columns: 80, rows: 24 });
  assert.deepEqual([engine.started, engine.resized], [[before], [meanwhile]]);
  await attachments.resize(ann, id, after);
  assert.deepEqual(engine.resized, [meanwhile, after]);
});
