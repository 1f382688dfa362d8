/**
 * Several machines with Docker, each a network namespace with a daemon of its own behind mutual TLS. They are in no Swarm: whoever uses them
 * makes one. This side of their bridge is where a platform stands. Needs root and the programs of docker.io, iproute2 and openssl.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { claimBlock } from './address-block.ts';
import { DockerProcess } from './docker-process.ts';
import { createTlsAuthority, type TlsIdentity } from './docker-tls.ts';
import { createMachineNetwork, type MachineNetwork } from './machine-network.ts';
import { attempt, command } from './system-command.ts';

export { missingForDocker } from './docker-process.ts';

export interface Machine {
  /** From 1 on. */
  readonly number: number;
  readonly address: string;
  /** `tcp://<address>:2376`; wants `tls`. */
  readonly host: string;
  /** A client's certificate that every machine accepts, and its folder with ca.pem, cert.pem and key.pem. */
  readonly tls: TlsIdentity;
  /** `unix://…`, without TLS. */
  readonly unixHost: string;
  readonly folder: string;
  /** Name of its network namespace. After `powerOff` it is another of the same name. */
  readonly namespace: string;
  /** The daemon alone, by SIGKILL; containers go on. */
  kill(): Promise<void>;
  /** All of it at once, without a word on the wire. */
  powerOff(): Promise<void>;
  /** After `kill` or `powerOff`. */
  start(): Promise<void>;
  /** The wire is cut: what is sent is lost. */
  cut(): Promise<void>;
  mend(): Promise<void>;
  /** The machine is no more. */
  close(): Promise<void>;
}

export interface Machines {
  readonly machines: readonly Machine[];
  /** This side's address on their bridge, and the bridge's block. */
  readonly hostAddress: string;
  readonly block: string;
  /** A block of addresses for spaces; this machine routes it nowhere until `routePool`. */
  readonly addressPool: string;
  /** Sends what goes to the pool through that machine; null: nowhere. */
  routePool(through: Machine | null): Promise<void>;
  /** Takes all of it away; says nothing when there is nothing left. */
  close(): Promise<void>;
}

export interface MachinesOptions {
  readonly tls: boolean;
  /** More for each daemon.json. */
  readonly configuration?: Readonly<Record<string, unknown>>;
}

export async function startMachines(count: number, options: MachinesOptions): Promise<Machines> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-swarm-'));
  const machines: Machine[] = [];
  let network: MachineNetwork | null = null;
  const pool = await claimBlock(64, 128, 18);
  const addressPool = pool.text;
  const close = async (): Promise<void> => {
    const results = await Promise.allSettled(machines.map((machine) => machine.close()));
    await attempt('ip', 'route', 'delete', addressPool);
    await network?.close();
    await pool.release();
    rmSync(folder, { recursive: true, force: true });
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  };
  try {
    const wires = await createMachineNetwork();
    network = wires;
    const authority = await createTlsAuthority(join(folder, 'tls'));
    const client = await authority.issue('client');
    for (let number = 1; number <= count; number++) {
      const name = `node${number}`;
      const server = options.tls ? await authority.issue(name, [wires.address(number), '127.0.0.1']) : null;
      const { configuration = {} } = options;
      const own = { number, name, folder: join(folder, name) };
      machines.push(createMachine({ ...own, network: wires, client, server, configuration }));
    }
    const started = await Promise.allSettled(machines.map((machine) => machine.start()));
    for (const result of started) if (result.status === 'rejected') throw result.reason;
    return {
      machines,
      hostAddress: wires.hostAddress,
      block: wires.block,
      addressPool,
      routePool: async (through) => {
        if (through === null) await attempt('ip', 'route', 'delete', addressPool);
        else await command('ip', 'route', 'replace', addressPool, 'via', through.address);
      },
      close,
    };
  } catch (error) {
    await close().catch(() => {});
    throw error;
  }
}

interface MachineParts {
  readonly number: number;
  readonly name: string;
  readonly folder: string;
  readonly network: MachineNetwork;
  readonly client: TlsIdentity;
  /** Null: it listens without TLS. */
  readonly server: TlsIdentity | null;
  readonly configuration: Readonly<Record<string, unknown>>;
}

/** Off until `start`. */
function createMachine(parts: MachineParts): Machine {
  const { number, name, folder, network, client, server } = parts;
  mkdirSync(folder);
  const [namespace, address] = [network.namespace(number), network.address(number)];
  const host = `tcp://${address}:2376`;
  const files = (of: TlsIdentity) => ({
    tlsverify: true,
    tlscacert: join(of.folder, 'ca.pem'),
    tlscert: join(of.folder, 'cert.pem'),
    tlskey: join(of.folder, 'key.pem'),
  });
  const daemon = new DockerProcess({
    ...{ name: namespace, folder, hosts: [host], hostName: name },
    configuration: {
      ...parts.configuration,
      'insecure-registries': [network.block],
      ...(server === null ? { tls: false } : files(server)),
    },
  });
  let isOn = false;
  const powerOff = async (): Promise<void> => {
    // Before all else, so that nobody hears of connections that end.
    if (isOn) await network.setWire(number, 'down').catch(() => {});
    await daemon.killAll();
    await network.unplug(number);
    await daemon.release();
    isOn = false;
  };
  return {
    ...{ number, address, host, tls: client, unixHost: `unix://${daemon.socket}`, folder, namespace },
    kill: () => daemon.stop('SIGKILL'),
    powerOff,
    start: async () => {
      if (!isOn) {
        isOn = true;
        await network.plug(number);
      }
      await daemon.start();
    },
    cut: () => network.setWire(number, 'down'),
    mend: () => network.setWire(number, 'up'),
    close: async () => {
      await powerOff();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
