/** An instance that runs, as a test without controllers needs one. */
import type { Database } from '../../src/core/ports/database.ts';
import type { SimulatedEngine } from '../../src/engines/simulated/simulated-engine.ts';
import { systemClock, systemIds } from '../../src/lib/clock.ts';
import { until } from '../support/until.ts';

/** Gives its id. */
export async function runInstance(
  { db, engine }: { readonly db: Database; readonly engine: SimulatedEngine },
  app: { readonly id: string; readonly releaseId: string; readonly type: string },
): Promise<string> {
  const now = systemClock.now();
  const id = systemIds.id();
  const running = await engine.start({
    id,
    kind: 'process',
    appId: app.id,
    appHandle: 'mine',
    spaceId: systemIds.id(),
    processType: app.type,
    generation: 'g',
    artifactDigest: 'sha256:ab',
    command: 'node web.js',
    environment: {},
    ports: 'any',
    limits: { memoryBytes: 1, cpuShares: 1, pids: 1 },
    graceMs: 0,
  });
  await until('it runs', async () =>
    (await engine.list()).some((instance) => instance.id === id && instance.state === 'running'),
  );
  await db.instances.insert({
    id,
    appId: app.id,
    releaseId: app.releaseId,
    processType: app.type,
    generation: 'g',
    state: 'ready',
    series: 0,
    ordinal: 0,
    routed: true,
    nodeId: running.nodeId,
    host: null,
    port: null,
    restarts: 0,
    retryAt: null,
    failureCode: null,
    failureMessage: null,
    createdAt: now,
    readyAt: now,
    updatedAt: now,
  });
  return id;
}
