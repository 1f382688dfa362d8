/** The core with all control loops over a real database and router, and a simulated engine of several nodes. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { createBlobFolder } from '../../src/builders/blob-folder.ts';
import type { ControlContext } from '../../src/control/control-context.ts';
import { Controllers } from '../../src/control/controllers.ts';
import { type Actor, systemActor } from '../../src/core/access/actor.ts';
import type { EventKind, PlatformEvent } from '../../src/core/events/event.ts';
import type { NodeView } from '../../src/core/nodes/node.ts';
import type { Operation } from '../../src/core/operations/operation.ts';
import type { Engine } from '../../src/core/ports/engine.ts';
import { Secret } from '../../src/core/ports/secret.ts';
import type { CreateProcess } from '../../src/core/processes/new-process.ts';
import type { StrategyName } from '../../src/core/releases/release.ts';
import { systemClock, systemIds } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { createLogStore } from '../../src/logging/log-store.ts';
import { startRouter } from '../router/support/router-harness.ts';
import { type TestCore, testCore } from './core.ts';
import { testBox } from './postgres.ts';
import { until } from './until.ts';

export interface Fleet extends TestCore {
  readonly context: ControlContext;
  readonly controllers: Controllers;
  readonly ann: Actor;
  /** Adds a node and waits until it is ready; its number is the last one of its address. */
  join(number: number, pool?: string): Promise<NodeView>;
  /** An app of Ann's that runs so many web processes, all of them ready. */
  serve(name: string, quantity: number, strategy?: StrategyName, web?: Omit<CreateProcess, 'type'>): Promise<string>;
  /** By node: how many ready instances of an app (or of all) run there. Nodes without any are left out. */
  spread(appId?: string): Promise<Readonly<Record<string, number>>>;
  /** Waits until the loop of nodes has looked at what runs now. */
  seen(): Promise<void>;
  /** Waits until it has ended, and gives how. */
  ended(operation: Operation): Promise<Operation>;
  events(kind: EventKind): Promise<readonly PlatformEvent[]>;
  /** From now on: the fewest ready instances that the app had at any look. */
  fewest(appId: string): () => number;
}

const LOOK_EVERY_MS = 5;

export const addressOf = (number: number): string => `tcp://10.0.0.${number}:2376`;

export interface FleetOptions {
  /** What the loops see of the engine; the simulated one itself when absent. */
  readonly engine?: (core: TestCore) => Engine;
  readonly homeNode?: ControlContext['homeNode'];
  /** Everything is looked at so often, also without a wake; each second when absent. */
  readonly resyncMs?: number;
}

export async function testFleet(t: TestContext, options: FleetOptions = {}): Promise<Fleet> {
  // Registered first, so that the loops end before what they work on.
  const endings: (() => unknown)[] = [];
  t.after(async () => {
    for (const end of endings) await end();
  });
  const made = await testCore(t);
  const { core, db, engine } = made;
  const { router } = await startRouter(t);
  const folder = await mkdtemp(join(tmpdir(), 'berth-fleet-'));
  const logs = createLogStore({ folder, clock: systemClock, logger: silentLogger });
  const context: ControlContext = {
    db,
    clock: systemClock,
    ids: systemIds,
    box: testBox,
    engine: options.engine?.(made) ?? engine,
    sandbox: engine,
    router,
    builder: {
      build: async ({ buildId }) => ({
        artifactDigest: `sha256:${createHash('sha256').update(buildId).digest('hex')}`,
        sizeBytes: 1,
        processes: { web: 'node server.js' },
        buildpack: 'node',
        reused: false,
      }),
      hasArtifact: async () => true,
      clearCache: async () => {},
      prune: async () => ({ removed: 0, freedBytes: 0 }),
    },
    logs,
    blobs: createBlobFolder({ dataFolder: folder, clock: systemClock, ids: systemIds }),
    addonProviders: {},
    logger: silentLogger,
    holder: systemIds.id(),
    homeNode: options.homeNode ?? null,
    limits: {
      bootTimeoutMs: 20_000,
      drainTimeoutMs: 1_000,
      graceMs: 1_000,
      settleMs: 0,
      buildsAtOnce: 1,
      resyncMs: options.resyncMs ?? 1_000,
      addonWatchMs: 3_600_000,
    },
  };
  const controllers = new Controllers(context, 'berth.test');
  endings.push(
    () => controllers.stop(),
    () => logs.close(),
    () => rm(folder, { recursive: true, force: true }),
  );
  await controllers.start();
  const ann = await made.person('ann');
  const ended = async (operation: Operation): Promise<Operation> =>
    until(`${operation.kind} has ended`, async () => {
      const found = await db.operations.find(operation.id);
      return found !== null && found.finishedAt !== null ? found : null;
    });
  const ready = async (appId?: string) =>
    (await db.instances.placed()).filter(
      (row) => row.state === 'ready' && (appId === undefined || row.appId === appId),
    );
  return {
    ...made,
    context,
    controllers,
    ann,
    ended,
    async seen() {
      const { operation, moved } = await core.moves.rebalance(systemActor);
      assert.equal(moved, 0);
      await ended(operation);
    },
    async join(number, pool) {
      const input = { address: addressOf(number), ...(pool === undefined ? {} : { pool }) };
      const { node, operation } = await core.nodes.add(systemActor, input);
      await ended(operation);
      return core.nodes.get(systemActor, node.id);
    },
    async serve(name, quantity, strategy = 'one-by-one', web = {}) {
      const processes = [{ ...web, type: 'web' }];
      const { id } = await core.apps.create(ann, { name, team: 'ann', spaceId: made.spaceId, processes });
      const source = { kind: 'archive', url: new Secret('data:,x'), checksum: null } as const;
      const { id: build } = await core.builds.create(ann, id, { source });
      await until('the build has ended', async () => (await core.builds.get(ann, id, build)).status === 'succeeded');
      await core.releases.deploy(ann, id, build, { strategy });
      await core.processes.update(ann, id, [{ type: 'web', quantity }]);
      await until(`${name} runs ${quantity}`, async () => (await ready(id)).length === quantity);
      return id;
    },
    async spread(appId) {
      const counts: Record<string, number> = {};
      for (const { nodeId } of await ready(appId)) counts[nodeId ?? ''] = (counts[nodeId ?? ''] ?? 0) + 1;
      return counts;
    },
    events: async (kind) => (await db.events.list({ kinds: [kind] }, { limit: 100 })).items,
    fewest(appId) {
      let least = Number.POSITIVE_INFINITY;
      let watching = true;
      const watch = (async () => {
        while (watching) {
          await setTimeout(LOOK_EVERY_MS);
          least = Math.min(least, (await ready(appId)).length);
        }
      })();
      endings.unshift(async () => {
        watching = false;
        await watch;
      });
      return () => least;
    },
  };
}
