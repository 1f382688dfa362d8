/**
 * The agent: a long-lived process that owns instances and jobs on one machine and answers on a unix socket. It may be killed at any
 * moment; what it started runs on, and the next agent takes it over.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LinkTable } from '../common/link-table.ts';
import { AgentApi } from './agent-api.ts';
import { describeMachine } from './describe.ts';
import { EtcFiles } from './etc-files.ts';
import { FifoStock } from './fifos.ts';
import { Launcher } from './launcher.ts';
import { LinkForwards } from './link-forwards.ts';
import { probeMachine } from './machine.ts';
import { Networks } from './network/networks.ts';
import { Ports } from './ports.ts';
import { watchResident } from './resident-watch.ts';
import type { AgentOptions } from './settings.ts';
import { Uids } from './uids.ts';
import { Units } from './units.ts';
import { Volumes } from './volumes.ts';
import { WorkingCopies } from './working-copies.ts';

export interface Agent {
  /** Stops answering. Instances run on, unless `everything`: then all of them are stopped and the networks removed. */
  close(options?: { readonly everything?: boolean }): Promise<void>;
}

const memoryLookMs = 1_000;
const pruneNetworksMs = 60_000;
export const defaultSocketPath = (dataFolder: string): string => join(dataFolder, 'run', 'agent.sock');

/** Starts the agent: adopts what is there, then listens. Rejects when another agent answers on the socket. */
export async function runAgent(options: AgentOptions): Promise<Agent> {
  const dataFolder = resolve(options.dataFolder);
  const folder = join(dataFolder, 'agent');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const installId = createHash('sha256').update(dataFolder).digest('hex');
  const shortId = installId.slice(0, 12);
  const { logger, clock, ids } = options;
  const machine = await probeMachine(shortId, options.isolation, options.cgroups !== 'none');

  const fifos = new FifoStock(join(folder, 'fifos'), () => ids.token(6));
  const portRange = options.portRange ?? { first: 20_000, last: 29_999 };
  const ports = new Ports(portRange, Number.parseInt(installId.slice(0, 8), 16));
  const table = new LinkTable(join(folder, 'links.json'));
  const { allowHostPorts = [], elsewhere = { blocks: [], interfaces: [] } } = options;
  const networks = machine.network
    ? new Networks({ path: join(folder, 'networks.json'), installId: shortId, allowHostPorts, elsewhere, table })
    : null;
  const links = networks ?? new LinkForwards({ path: join(folder, 'forwards.json'), ports, table, logger });
  const artifacts = options.artifactFolder ?? join(dataFolder, 'artifacts');
  const copies = new WorkingCopies(artifacts, join(folder, 'layers'), machine);
  const etc = new EtcFiles(join(folder, 'etc'));
  if (machine.sandbox !== 'none') await etc.prepare();
  const volumes = new Volumes(join(dataFolder, 'volumes'));
  const launcher = new Launcher({
    machine,
    uids: new Uids(join(folder, 'uids.json'), installId),
    ports,
    networks,
    links,
    volumes,
    copies,
    etc,
    nodePath: options.nodePath ?? process.execPath,
    hostEnvironment: options.hostEnvironment ?? {},
  });
  const wakers = new Set<() => void>();
  const changed = (): void => {
    for (const wake of wakers) wake();
  };
  const services = { machine, logger, clock, fifos, logAppender: options.logAppender, changed };
  const units = new Units({
    services,
    launcher,
    ports,
    copies,
    folder: join(folder, 'units'),
    ownNetworks: networks !== null,
  });
  await copies.prune();
  await volumes.prune();
  await fifos.fill();
  await units.adoptAll();
  await links
    .restore()
    .catch((error: unknown) => logger.warn({ error }, 'links and the firewall are as the last agent left them'));

  const timers = [
    setInterval(() => {
      for (const unit of units.all()) if (unit.phase === 'running') unit.checkMemory();
    }, memoryLookMs),
    setInterval(() => {
      links.prune((spaceId, target) =>
        units.isAny((state) => state.spaceId === spaceId && state.targets?.includes(target) === true),
      );
      networks
        ?.pruneNetworks({
          space: (spaceId) => units.isAny((state) => state.spaceId === spaceId),
          own: (key) => units.isAny((state) => state.networkKey === key),
        })
        .catch((error: unknown) => logger.warn({ error }, 'networks that nobody needs stay'));
    }, pruneNetworksMs),
  ];
  const stopWatch = machine.cgroups === null ? watchResident(() => units.all()) : null;
  const socketPath = options.socketPath ?? defaultSocketPath(dataFolder);
  const description = describeMachine(machine, options.nodeId ?? 'local');
  const api = new AgentApi({
    units,
    volumes,
    links,
    services,
    ids,
    description,
    nodeId: options.nodeId ?? 'local',
    wakers,
  });
  await api.listen(socketPath);
  const isolation = description.isolation.filter((line) => line.inForce).map((line) => line.what);
  logger.info({ isolation, missing: machine.missing, units: units.all().length }, 'the agent is ready');

  return {
    async close({ everything = false } = {}) {
      await api.close();
      for (const timer of timers) clearInterval(timer);
      if (everything) {
        await Promise.all(units.all().map((unit) => units.remove(unit.state.id)));
        await links.close({ everything: true });
        machine.cgroups?.close();
      } else for (const unit of units.all()) unit.letGo();
      if (!everything) await links.close({ everything: false });
      stopWatch?.();
      rmSync(socketPath, { force: true });
    },
  };
}
