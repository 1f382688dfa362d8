// test-timeout: 300
/** The platform and its machines seen from inside containers on two of them: what an app must not reach or be, and what it must. */
import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { after, before, suite, test } from 'node:test';
import { untilRunning } from '../support/deploy.ts';
import { type Inside, insideApp } from '../support/inside-app.ts';
import { ownAddress, reachable, readable, statusOf } from '../support/inside-code.ts';
import { outsideUrl } from '../support/outside.ts';
import { missingForDocker } from '../support/swarm.ts';
import { type SwarmPlatform, startSwarmPlatform } from '../support/swarm-platform.ts';
import { until } from '../support/until.ts';

const MACHINES = 2;

interface Container {
  readonly HostConfig: {
    readonly Privileged: boolean;
    readonly CapDrop: readonly string[];
    readonly CapAdd: readonly string[] | null;
    readonly SecurityOpt: readonly string[];
    readonly Memory: number;
    readonly MemorySwap: number;
    readonly PidsLimit: number;
    readonly Binds: readonly string[] | null;
    readonly PidMode: string;
    readonly IpcMode: string;
  };
}

suite('inside containers on two machines', { skip: missingForDocker() ?? false }, () => {
  const endings: (() => Promise<void>)[] = [];
  let swarm: SwarmPlatform;
  let probe: Inside;
  /** `host:port` of each instance. */
  let own: readonly string[];
  let near: readonly string[];
  let far: readonly string[];

  before(async () => {
    const t = { after: (work: () => Promise<void>) => void endings.push(work) };
    // On every address of this machine, so that only the isolation keeps an app out.
    swarm = await startSwarmPlatform(t, MACHINES, { BERTH_HOST: '0.0.0.0' });
    const added = await swarm.say('nodes', 'add', swarm.machine(2).host, '--wait');
    assert.equal(added.code, 0, added.err);
    await swarm.platform.akkeris.post('/spaces', { name: 'island' });
    probe = await everywhereApp('probe', 'default');
    own = await addresses(probe);
    near = await addresses(await everywhereApp('near', 'default'));
    far = await addresses(await everywhereApp('far', 'island'));
  });
  after(async () => {
    for (const end of endings.toReversed()) await end();
  });

  /** An app with an instance on each machine. */
  async function everywhereApp(name: string, space: string): Promise<Inside> {
    const inside = await insideApp(swarm.platform, name, space);
    const path = `/apps/${name}-${space}`;
    await swarm.platform.akkeris.patch(`${path}/formation`, [{ type: 'web', quantity: MACHINES }]);
    await untilRunning(swarm.platform, path, 'web', MACHINES);
    return inside;
  }

  /** What the code gives in each of its instances. */
  async function everywhere<T>(inside: Inside, code: string): Promise<readonly T[]> {
    const found = new Map<string, T>();
    await until('each instance was asked', async () => {
      const wrapped = `return [process.env.BERTH_INSTANCE_ID, await (async () => {${code}\n})()];`;
      const [id, result] = await inside<[string, T]>(wrapped);
      found.set(id, result);
      return found.size === MACHINES;
    });
    return [...found.values()];
  }
  const addresses = (inside: Inside): Promise<readonly string[]> => everywhere<string>(inside, ownAddress);
  const none = Array.from({ length: MACHINES }, () => []);

  test('another app of the space is in reach on either machine, one of another space on neither', async () => {
    assert.equal(new Set([...own, ...near, ...far]).size, 3 * MACHINES);
    const asked = [...near, ...far];
    assert.deepEqual(await everywhere(probe, reachable(asked)), [near, near]);
  });

  test('no port of the platform, on any address of its machine', async () => {
    const { platform } = swarm;
    const ports = [platform.port, ...[1, 2, 3, 4, 22, 43, 80].map((offset) => platform.port + offset), 5432, 22];
    // Not those that other tests make meanwhile.
    const others = Object.entries(networkInterfaces()).flatMap(([name, each]) =>
      /^b(th|s|d|r)/.test(name) ? [] : (each ?? []),
    );
    const outer = others.filter(({ family, internal }) => family === 'IPv4' && !internal);
    const hosts = [swarm.swarm.hostAddress, ...outer.map(({ address }) => address)];
    const targets = ['127.0.0.1', ...hosts].flatMap((host) => ports.map((port) => `${host}:${port}`));
    assert.deepEqual(await everywhere(probe, reachable(targets)), none);
  });

  test('no port of a machine: not the Docker API, nor those of its Swarm', async () => {
    const gateways = await everywhere<string>(probe, 'return process.env.BERTH_HOST_ADDRESS');
    const hosts = [...swarm.swarm.machines.map(({ address }) => address), ...gateways, '172.17.0.1', '127.0.0.1'];
    const targets = hosts.flatMap((host) => [2375, 2376, 2377, 7946, 22].map((port) => `${host}:${port}`));
    assert.deepEqual(await everywhere(probe, reachable(targets)), none);
  });

  test('no metadata of a cloud', async () => {
    assert.deepEqual(await everywhere(probe, reachable(['169.254.169.254:80'])), none);
  });

  test('the world outside', async (t) => {
    const url = await outsideUrl();
    if (url === null) return t.skip('optional: the npm registry cannot be reached from here');
    assert.deepEqual(await everywhere(probe, statusOf(url)), [200, 200]);
  });

  test('no rights, no daemon’s socket, nobody else’s processes', async () => {
    const code = `
const fs = require('node:fs');
return {
  uid: process.getuid(),
  status: fs.readFileSync('/proc/self/status', 'utf8'),
  processes: fs.readdirSync('/proc').filter((name) => Number(name) > 0).length,
};`;
    for (const { uid, status, processes } of await everywhere<{ uid: number; status: string; processes: number }>(
      probe,
      code,
    )) {
      assert.notEqual(uid, 0);
      for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
        assert.match(status, new RegExp(`^${set}:\\s+0+$`, 'm'));
      assert.match(status, /^NoNewPrivs:\s+1$/m);
      assert.ok(processes <= 6, `${processes} processes`);
    }
    const hidden = ['/var/run/docker.sock', '/run/docker.sock', '/root', '/etc/shadow', swarm.platform.dataFolder];
    assert.deepEqual(await everywhere(probe, readable(hidden)), none);
  });

  test('each container has the limits of its size and nothing of its machine', async () => {
    for (const number of [1, 2]) {
      const names = await swarm.containers(number);
      assert.equal(names.length, 3);
      for (const name of names) {
        const { HostConfig } = await swarm.read<Container>(number, `/containers${name}/json`);
        assert.equal(HostConfig.Privileged, false);
        assert.deepEqual([HostConfig.CapDrop, HostConfig.CapAdd ?? []], [['ALL'], []]);
        assert.ok(HostConfig.SecurityOpt.includes('no-new-privileges'));
        assert.ok(HostConfig.PidsLimit > 0 && HostConfig.Memory > 0);
        assert.equal(HostConfig.MemorySwap, HostConfig.Memory);
        assert.deepEqual([HostConfig.Binds ?? [], HostConfig.PidMode], [[], '']);
        assert.notEqual(HostConfig.IpcMode, 'host');
      }
    }
  });
});
