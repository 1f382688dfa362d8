/** The core with its add-on loop running over a real database, for tests of what add-ons do to apps. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { AddonQueue } from '../../src/control/addons/addon-queue.ts';
import { AddonWatch } from '../../src/control/addons/addon-watch.ts';
import type { Actor } from '../../src/core/access/actor.ts';
import type { Operation } from '../../src/core/operations/operation.ts';
import type { AddonProviders } from '../../src/core/ports/addon-provider.ts';
import type { Plan, Service } from '../../src/core/services/service.ts';
import { systemClock, systemIds } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { createLogStore, type DiskLogStore } from '../../src/logging/log-store.ts';
import { runAddonLoop } from '../support/addon-loop.ts';
import { type TestCore, testCore } from '../support/core.ts';

export interface Workbench extends TestCore {
  readonly watch: AddonWatch;
  readonly queue: AddonQueue;
  readonly logs: DiskLogStore;
  /** Waits until the operation has ended; rejects with its error when it failed. */
  done(operation: Operation): Promise<void>;
  /** Names and values of all that an app's processes get. */
  environment(appId: string): Promise<Readonly<Record<string, string>>>;
  /** An app that runs a release, so that changes of its config make others. */
  releasedApp(actor: Actor, name: string, team: string): Promise<string>;
}

export async function workbench(t: Pick<TestContext, 'after'>, addonProviders: AddonProviders): Promise<Workbench> {
  let stop = async (): Promise<void> => {};
  const folder = await mkdtemp(join(tmpdir(), 'berth-addons-'));
  // Registered first, so that it ends what uses the database before the database goes.
  t.after(() => stop());
  const made = await testCore(t, addonProviders);
  const { core, db } = made;
  const logs = createLogStore({ folder, clock: systemClock, logger: silentLogger });
  const { context, queue, stop: stopLoop } = runAddonLoop(db, logs, addonProviders);
  const watch = new AddonWatch(context);
  stop = async () => {
    await stopLoop();
    await logs.close();
    await rm(folder, { recursive: true, force: true });
  };
  return {
    ...made,
    queue,
    watch,
    logs,
    async done(operation) {
      const { status, error } = await core.addons.whenDone(operation, 30_000);
      if (status !== 'succeeded') throw new Error(`the operation is ${status}: ${error ?? ''}`);
    },
    async environment(appId) {
      const found = await db.config.resolve(appId);
      return Object.fromEntries(Object.entries(found).map(([name, value]) => [name, value.reveal()]));
    },
    async releasedApp(actor, name, team) {
      const id = await made.createApp(actor, name, team);
      const app = await core.apps.get(actor, id);
      const now = systemClock.now();
      const digest = `sha256:${systemIds.token(32)}`;
      await db.artifacts.insert({
        digest,
        sizeBytes: 1,
        processes: { web: 'true' },
        buildpack: 'none',
        createdAt: now,
      });
      const snapshot = systemIds.id();
      const release = systemIds.id();
      await db.transaction(async (stores) => {
        await stores.config.snapshot(snapshot, id, {});
        await stores.releases.insert({
          id: release,
          appId: id,
          version: await stores.releases.nextVersion(id),
          kind: 'deploy',
          status: 'succeeded',
          artifactDigest: digest,
          buildId: null,
          configSnapshotId: snapshot,
          commands: { web: 'true' },
          processes: {},
          strategy: 'one-by-one',
          description: '',
          rollbackOf: null,
          failureCode: null,
          failureMessage: null,
          createdBy: actor.name,
          createdAt: now,
          updatedAt: now,
        });
        await stores.apps.update(app.id, { currentReleaseId: release });
      });
      return id;
    },
  };
}

/** A service with these plans, as the platform brings its own. */
export async function addService(
  { db }: Pick<TestCore, 'db'>,
  provider: string,
  change: Partial<Service> = {},
  plans: readonly Partial<Plan>[] = [{ name: 'small' }, { name: 'large' }],
): Promise<Service> {
  const now = systemClock.now();
  const service: Service = {
    id: systemIds.id(),
    name: 'thing',
    label: 'Thing',
    shortDescription: '',
    description: '',
    category: 'other',
    logoUrl: null,
    provider,
    providerName: 'Things',
    providerUrl: null,
    teamId: null,
    shareable: true,
    multiple: true,
    doc: '',
    createdAt: now,
    updatedAt: now,
    ...change,
  };
  const rows = plans.map(
    (plan, position): Plan => ({
      id: systemIds.id(),
      serviceId: service.id,
      name: `plan-${position}`,
      label: '',
      description: '',
      priceCents: 0,
      limits: { storageBytes: null, connections: null },
      attributes: {},
      position,
      createdAt: now,
      ...plan,
    }),
  );
  await db.services.insert(service, rows, null);
  return service;
}
