/** The Docker engine over several machines of its own, as a platform beside them has it. */
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineInstance, InstanceSpec, NodeSpec } from '../../../src/core/ports/engine.ts';
import type { LogLine } from '../../../src/core/ports/log-store.ts';
import { Secret } from '../../../src/core/ports/secret.ts';
import { createDockerEngine, type DockerEngine } from '../../../src/engines/docker/engine.ts';
import type { DockerEngineOptions } from '../../../src/engines/docker/settings.ts';
import { systemClock, systemIds } from '../../../src/lib/clock.ts';
import { type Logger, silentLogger } from '../../../src/lib/logger.ts';
import { type Machine, type Machines, startMachines } from '../../support/swarm.ts';
import { until } from '../../support/until.ts';
import { artifactDigest, makeDataFolder } from './process-harness.ts';

export interface SwarmHarness {
  readonly machines: readonly Machine[];
  readonly hostAddress: string;
  readonly options: DockerEngineOptions;
  readonly engine: DockerEngine;
  /** A row of the table for a machine: `node-1` and so on, in the pool `main`. */
  row(number: number, change?: Partial<NodeSpec>): NodeSpec;
  /** An instance of the programs of the conformance suite. */
  spec(change?: Partial<InstanceSpec>): InstanceSpec;
  lines(appId: string, of?: LogLine['source']): readonly string[];
  /** Puts another engine in the place of the one before, as after a restart of the server; it was told no table. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export async function swarmHarness(count: number, logger: Logger = silentLogger): Promise<SwarmHarness> {
  const swarm: Machines = await startMachines(count, { tls: true });
  const dataFolder = makeDataFolder();
  const streams = new Map<string, LogLine[]>();
  const [home] = swarm.machines;
  if (home === undefined) throw new Error('no machine');
  const { ca, certificate, key } = home.tls;
  const options: DockerEngineOptions = {
    host: home.host,
    tls: { ca, certificate, key },
    installId: randomBytes(4).toString('hex'),
    stateFolder: join(dataFolder, 'docker'),
    artifactFolder: join(dataFolder, 'artifacts'),
    clock: systemClock,
    logger,
    logAppender: {
      append: async (stream, lines) => {
        streams.set(stream, [...(streams.get(stream) ?? []), ...lines]);
      },
    },
    addressPool: swarm.addressPool,
    advertiseAddress: home.address,
    routes: true,
  };
  let engine = createDockerEngine(options);
  return {
    machines: swarm.machines,
    hostAddress: swarm.hostAddress,
    options,
    get engine() {
      return engine;
    },
    row: (number, change = {}) => ({
      id: `node-${number}`,
      address: swarm.machines[number - 1]?.host ?? '',
      tls: { ca, certificate, key: new Secret(key) },
      ...{ poolId: 'main', schedulable: true, labels: {} },
      ...change,
    }),
    spec: (change = {}) => ({
      ...{ id: systemIds.id(), kind: 'process', appId: systemIds.id(), appHandle: 'fleet', spaceId: 'fleet' },
      ...{ processType: 'web', generation: 'g1', artifactDigest, command: ['node', 'serve.js'], ports: 'any' },
      environment: { MESSAGE: new Secret('hello') },
      limits: { memoryBytes: 64 * 2 ** 20, cpuShares: 1024, pids: 100 },
      graceMs: 1_000,
      ...change,
    }),
    lines: (appId, of = 'app') =>
      (streams.get(`apps/${appId}`) ?? []).filter(({ source }) => source === of).map(({ text }) => text),
    restart: async () => {
      await engine.close();
      engine = createDockerEngine(options);
    },
    close: async () => {
      try {
        await engine.close();
      } finally {
        await swarm.close();
        rmSync(dataFolder, { recursive: true, force: true });
      }
    },
  };
}

const patienceMs = 90_000;

export const find = async (engine: DockerEngine, id: string): Promise<EngineInstance | undefined> =>
  (await engine.list()).find((instance) => instance.id === id);

/**
 * Resolves with the instance when it runs; fails at once when it ended. One that is listed no more is asked for again, as the platform does: its
 * start may have met a Swarm without a leader.
 */
export function untilRunning(engine: DockerEngine, spec: InstanceSpec | undefined): Promise<EngineInstance> {
  const id = spec?.id ?? '';
  const look = async (): Promise<EngineInstance | null> => {
    const found = await find(engine, id).catch(() => null);
    if (found === undefined && spec !== undefined) await engine.start(spec).catch(() => {});
    if (found?.exit != null) throw new Error(`it ended: ${found.exit.startError ?? JSON.stringify(found.exit)}`);
    return found?.state === 'running' && found.address !== null ? found : null;
  };
  return until(`${id} runs`, look, patienceMs);
}

/** Resolves when these nodes, and no others, are ready. */
export async function untilReady(engine: DockerEngine, ids: readonly string[]): Promise<void> {
  const ready = async (): Promise<boolean> => {
    const { nodes } = await engine.describe();
    return (
      nodes
        .filter(({ state }) => state === 'ready')
        .map(({ id }) => id)
        .toSorted()
        .join() === ids.join()
    );
  };
  await until(`${ids.join(' and ')} are ready`, ready, patienceMs);
}

/** What answers at the address of an instance; null while nothing does. */
export const answerOf = ({ address }: Pick<EngineInstance, 'address'>): Promise<string | null> =>
  fetch(`http://${address?.host}:${address?.port}/`, { signal: AbortSignal.timeout(2_000) }).then(
    (response) => response.text(),
    () => null,
  );

/** What a node had just then may be shown for moments after it did not answer. */
export const untilEmpty = (engine: DockerEngine): Promise<boolean> =>
  until('nothing is listed', async () => (await engine.list().catch(() => null))?.length === 0, patienceMs);
