/** A whole platform beside several machines with Docker: the first is that of its settings, the others are added as operators do it. */
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { berth, type Said } from './berth-command.ts';
import { startPlatform, type TestPlatform } from './platform.ts';
import { type Machine, type Machines, startMachines } from './swarm.ts';
import { command } from './system-command.ts';

export interface SwarmPlatform {
  readonly platform: TestPlatform;
  readonly swarm: Machines;
  /** By its number, from 1 on. */
  machine(number: number): Machine;
  /** `berth <words>` beside the platform. */
  say(...words: readonly string[]): Promise<Said>;
  nodes(): Promise<readonly NodeRow[]>;
  /** Names of the containers that instances of this platform have on a machine, whatever their state. */
  containers(number: number): Promise<readonly string[]>;
  /** What the Engine API of a machine answers to a GET of that path. */
  read<T>(number: number, path: string): Promise<T>;
}

export interface NodeRow {
  readonly id: string;
  readonly address: string;
  readonly state: string;
  readonly instances: number;
}

/** Both end with the test, the machines last. */
export async function startSwarmPlatform(
  t: TestContext | { after(work: () => Promise<void>): void },
  count: number,
  environment: Readonly<Record<string, string>> = {},
): Promise<SwarmPlatform> {
  const endings: (() => Promise<void>)[] = [];
  t.after(async () => {
    for (const end of endings.toReversed()) await end();
  });
  const swarm = await startMachines(count, { tls: true });
  endings.push(() => swarm.close());
  const machine = (number: number): Machine => {
    const found = swarm.machines[number - 1];
    if (found === undefined) throw new Error(`there is no machine ${number}`);
    return found;
  };
  const home = machine(1);
  const platform = await startPlatform(
    { after: (work: () => Promise<void>) => void endings.push(work) },
    {
      environment: {
        BERTH_ENGINE: 'docker',
        BERTH_DOCKER_HOST: home.host,
        BERTH_DOCKER_TLS: home.tls.folder,
        BERTH_DOCKER_ADDRESS_POOL: swarm.addressPool,
        BERTH_DOCKER_ADVERTISE_ADDRESS: home.address,
        ...environment,
      },
    },
  );
  const read = async <T>(number: number, path: string): Promise<T> => {
    const { address, tls } = machine(number);
    const files = ['--cacert', 'ca.pem', '--cert', 'cert.pem', '--key', 'key.pem'];
    const words = files.map((word) => (word.startsWith('--') ? word : join(tls.folder, word)));
    const url = `https://${address}:2376/v1.41${path}`;
    return JSON.parse(await command('curl', '-sSf', '--max-time', '20', ...words, url)) as T;
  };
  const say = (...words: readonly string[]): Promise<Said> => berth(platform.dataFolder, ...words);
  return {
    ...{ platform, swarm, machine, say, read },
    nodes: async () => JSON.parse((await say('nodes', 'list', '--json')).out) as readonly NodeRow[],
    async containers(number) {
      const found = await read<readonly { readonly Names: readonly string[] }[]>(number, '/containers/json?all=1');
      return found.flatMap(({ Names }) => Names).filter((name) => /^\/berth-[0-9a-f]+-i-/.test(name));
    },
  };
}
