/** The Docker engine over a daemon of its own, with the agent of the process engine for jobs, as a platform on Docker has them. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Engine } from '../../../src/core/ports/engine.ts';
import type { LogLine } from '../../../src/core/ports/log-store.ts';
import type { Sandbox } from '../../../src/core/ports/sandbox.ts';
import type { ConformanceHarness } from '../../../src/engines/conformance/harness.ts';
import { createDockerEngine, type DockerEngine } from '../../../src/engines/docker/engine.ts';
import type { DockerEngineOptions } from '../../../src/engines/docker/settings.ts';
import { runAgent } from '../../../src/engines/process/agent.ts';
import { createProcessEngine } from '../../../src/engines/process/client.ts';
import { systemClock, systemIds } from '../../../src/lib/clock.ts';
import { start } from '../../../src/lib/exec.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { type DockerDaemon, startDockerDaemon } from '../../support/docker-daemon.ts';
import { until } from '../../support/until.ts';
import { artifactDigest, makeDataFolder } from './process-harness.ts';

export interface DockerHarness extends ConformanceHarness {
  readonly daemon: DockerDaemon;
  readonly docker: DockerEngine;
  readonly options: DockerEngineOptions;
  /** Puts another engine in the place of the one that was, with other options if said. */
  restart(change?: Partial<DockerEngineOptions>): Promise<void>;
}

export async function dockerHarness(change: Partial<DockerEngineOptions> = {}): Promise<DockerHarness> {
  const daemon = await startDockerDaemon();
  const dataFolder = makeDataFolder();
  const streams = new Map<string, LogLine[]>();
  const logAppender = {
    append: async (stream: string, lines: readonly LogLine[]) => {
      const kept = streams.get(stream) ?? [];
      for (const line of lines) kept.push(line);
      streams.set(stream, kept);
    },
  };
  const options: DockerEngineOptions = {
    host: daemon.host,
    installId: randomBytes(4).toString('hex'),
    stateFolder: join(dataFolder, 'docker'),
    artifactFolder: join(dataFolder, 'artifacts'),
    clock: systemClock,
    logger: silentLogger,
    logAppender,
    addressPool: daemon.addressPool,
    advertiseAddress: daemon.address,
    routers: [daemon.hostAddress],
    refuse: [daemon.hostAddress],
    ...change,
  };
  const agent = await runAgent({
    ...{ dataFolder, logAppender, logger: silentLogger, clock: systemClock, ids: systemIds },
    isolation: 'auto',
  });
  const socketPath = join(dataFolder, 'run', 'agent.sock');
  const sandbox = createProcessEngine({ socketPath, logger: silentLogger });
  let docker = createDockerEngine(options);
  const others: DockerEngine[] = [];
  const host = createServer((_request, response) => response.end('the host'));
  await new Promise<void>((resolve) => host.listen(0, '0.0.0.0', resolve));
  const hostPort = (host.address() as AddressInfo).port;
  const node = await listenOnNode(daemon, hostPort);
  await warm(docker);
  let folders = 0;
  return {
    daemon,
    get docker() {
      return docker;
    },
    options,
    restart: async (changed = {}) => {
      await docker.close();
      docker = createDockerEngine({ ...options, ...changed });
    },
    engine: joined(() => docker, sandbox),
    real: true,
    artifactDigest,
    id: systemIds.id,
    lines: (stream) => streams.get(stream) ?? [],
    folder: () => {
      const folder = join(dataFolder, `job-${folders++}`);
      mkdirSync(folder);
      return folder;
    },
    reconnect: async () => {
      // The first client goes on carrying the output; as after a restart this one knows nothing but the daemon.
      const other = createDockerEngine({ ...options, logAppender: null });
      others.push(other);
      return joined(() => other, sandbox);
    },
    forbidden: {
      path: dataFolder,
      hostPort,
      hostAddresses: [daemon.address, daemon.hostAddress, '172.17.0.1', '172.18.0.1'],
    },
    required: ['user', 'files', 'processes', 'network', 'memory', 'cpu', 'pids'],
    close: async () => {
      try {
        await Promise.all(others.map((other) => other.close()));
        await docker.close({ everything: true });
      } finally {
        host.close();
        node.kill();
        sandbox.close();
        await agent.close({ everything: true });
        await daemon.close();
        rmSync(dataFolder, { recursive: true, force: true });
      }
    },
  };
}

/** The first instance on a daemon waits for the image under all of them, longer than the suite has patience. */
async function warm(docker: DockerEngine): Promise<void> {
  const id = systemIds.id();
  await docker.start({
    ...{
      id,
      kind: 'process',
      appId: id,
      appHandle: 'warm',
      spaceId: 'conformance',
      processType: 'web',
      generation: '',
    },
    ...{ artifactDigest, command: ['node', 'exit.js', '0'], environment: {}, ports: [], graceMs: 0 },
    limits: { memoryBytes: 2 ** 28, cpuShares: 1024, pids: 100 },
  });
  const ended = async () => (await docker.list()).find((instance) => instance.id === id)?.exit;
  const exit = await until('the first instance ends', ended, 120_000);
  if (exit.startError !== null) throw new Error(exit.startError);
  await docker.remove(id);
}

/** A server in the daemon's own namespace: what the platform's ports are on a machine that has both. */
async function listenOnNode(daemon: DockerDaemon, port: number) {
  const script = `require('node:http').createServer((_, answer) => answer.end('node')).listen(${port}, '0.0.0.0', () => console.log('up'))`;
  const argv = ['nsenter', `--net=/run/netns/${daemon.namespace}`, '--', process.execPath, '-e', script];
  const child = start(argv, { environment: { PATH: '/usr/bin:/bin' }, stdio: ['ignore', 'pipe', 'inherit'] });
  if (child.stdout !== null) await once(child.stdout, 'data');
  return child;
}

function joined(engine: () => Engine, sandbox: Sandbox): Engine & Sandbox {
  return {
    describe: () => engine().describe(),
    start: (spec) => engine().start(spec),
    stop: (id, graceMs) => engine().stop(id, graceMs),
    remove: (id) => engine().remove(id),
    list: () => engine().list(),
    stats: (ids) => engine().stats(ids),
    exec: (id, spec) => engine().exec(id, spec),
    attach: (id) => engine().attach(id),
    signal: (id, signal) => engine().signal(id, signal),
    routeLinks: (routes) => engine().routeLinks(routes),
    removeVolume: (id) => engine().removeVolume(id),
    volumes: () => engine().volumes(),
    carryVolumes: (nodeId) => engine().carryVolumes(nodeId),
    useNodes: (nodes) => engine().useNodes(nodes),
    watch: (wake) => engine().watch(wake),
    run: (job, signal) => sandbox.run(job, signal),
    kill: (id) => sandbox.kill(id),
    jobs: () => sandbox.jobs(),
  };
}
