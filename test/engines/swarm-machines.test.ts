// test-timeout: 300
/** The machines that tests of many nodes stand on: what each can do, and that nothing of them stays. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../../src/lib/exec.ts';
import { groupFolders } from '../support/docker-process.ts';
import { networkNamesOf } from '../support/machine-network.ts';
import { type Machine, missingForDocker, startMachines } from '../support/swarm.ts';
import { command, isInstalled, systemEnvironment, textOf } from '../support/system-command.ts';
import { until } from '../support/until.ts';

const lack = missingForDocker() ?? (isInstalled('openssl') ? null : 'not installed: openssl');

test('three machines of their own: mutual TLS, wires that can be cut, power, and nothing that stays', async (t) => {
  if (lack !== null) return t.skip(lack);
  const before = await ownFolders();
  const set = await startMachines(3, { tls: true });
  t.after(() => set.close());
  const [one, two, three] = set.machines;
  assert.ok(one && two && three);

  const ids = await Promise.all(set.machines.map(async (machine) => (await info(machine)).ID));
  assert.equal(new Set(ids).size, 3);
  assert.deepEqual(await Promise.all(set.machines.map(async (machine) => (await info(machine)).Name)), [
    'node1',
    'node2',
    'node3',
  ]);
  assert.equal((await info(one)).Swarm.LocalNodeState, 'inactive');
  assert.notEqual((await curl(one, false)).code, 0, 'a client without certificate');
  await until('they reach each other', () => reaches(one, two));

  await two.cut();
  assert.ok(!(await reaches(one, two)));
  await two.mend();
  await two.kill();
  assert.ok(!(await reaches(one, two)));
  await two.start();
  assert.equal((await info(two)).ID, ids[1]);
  await three.powerOff();
  assert.ok(!(await reaches(one, three)));
  await three.start();
  assert.equal((await info(three)).ID, ids[2]);
  await set.routePool(one);
  assert.match(await command('ip', 'route'), new RegExp(`${set.addressPool} via ${one.address}`));

  assert.notDeepEqual(await traces(), []);
  await set.close();
  assert.deepEqual(await traces(), []);
  assert.deepEqual(await ownFolders(), before);
  assert.doesNotMatch(await command('ip', 'route'), new RegExp(set.addressPool));
  assert.deepEqual(
    set.machines.flatMap(({ namespace }) => groupFolders(namespace)),
    [],
  );
});

test('machines of which one does not come up leave nothing either', async (t) => {
  if (lack !== null) return t.skip(lack);
  const before = await ownFolders();
  await assert.rejects(startMachines(2, { tls: true, configuration: { 'no-such-word': true } }), /no-such-word/);
  assert.deepEqual(await traces(), []);
  assert.deepEqual(await ownFolders(), before);
});

/** The report of a run lies beside them. */
const ownFolders = async (): Promise<readonly string[]> =>
  (await readdir(tmpdir())).filter((name) => name.startsWith('berth-'));

/** Interfaces, namespaces, rules, mounts and processes of this test's machines. */
async function traces(): Promise<readonly string[]> {
  const own = networkNamesOf(process.pid);
  const rules = await Promise.all(['filter', 'nat'].map((table) => command('iptables', '-w', '30', '-t', table, '-S')));
  const lines = [...rules, textOf('/proc/self/mounts')].flatMap((text) => text.split('\n'));
  const names = (await Promise.all(['/sys/class/net', '/run/netns'].map((folder) => readdir(folder)))).flat();
  const processes = await Promise.all(
    (await readdir('/proc')).map(async (entry) => textOf(`/proc/${entry}/cmdline`).replaceAll('\0', ' ')),
  );
  return [...lines, ...names, ...processes].filter(
    (each) => each.includes(own) || each.includes(`${tmpdir()}/berth-swarm-`),
  );
}

interface Info {
  readonly ID: string;
  readonly Name: string;
  readonly Swarm: { readonly LocalNodeState: string };
}

async function info(machine: Machine): Promise<Info> {
  const result = await curl(machine, true);
  assert.equal(result.code, 0, result.stderr);
  return JSON.parse(result.stdout) as Info;
}

function curl({ address, tls }: Machine, withCertificate: boolean) {
  const own = withCertificate ? ['--cert', join(tls.folder, 'cert.pem'), '--key', join(tls.folder, 'key.pem')] : [];
  const words = ['-sSf', '--max-time', '30', '--cacert', join(tls.folder, 'ca.pem'), ...own];
  const argv = ['curl', ...words, `https://${address}:2376/info`];
  return run(argv, { environment: systemEnvironment, timeoutMs: 40_000 });
}

/** Whether one machine gets through to the Docker API of another. */
async function reaches(from: Machine, to: Machine): Promise<boolean> {
  const into = ['nsenter', `--net=/run/netns/${from.namespace}`, '--'];
  const argv = [...into, 'curl', '-sk', '--max-time', '3', `https://${to.address}:2376/`];
  // 56: the other end turned the client without a certificate away.
  return [0, 56].includes((await run(argv, { environment: systemEnvironment, timeoutMs: 10_000 })).code ?? -1);
}
