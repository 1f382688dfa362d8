import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { appLines, inForce, specFor, untilLine, untilState } from '../../src/engines/conformance/harness.ts';
import { probeMachine } from '../../src/engines/process/machine.ts';
import { firewallRules } from '../../src/engines/process/network/firewall-rules.ts';
import {
  addressesOf,
  chooseBlock,
  freePair,
  freePlace,
  toAddress,
  toNumber,
} from '../../src/engines/process/network/subnets.ts';
import { start } from '../../src/lib/exec.ts';
import { createMachineNetwork, type MachineNetwork } from '../support/machine-network.ts';
import { systemEnvironment } from '../support/system-command.ts';
import { processHarness } from './support/process-harness.ts';

test('a space reaches the allowed ports of its gateway and no others, and leaves nothing behind', async (t) => {
  const servers = [createServer(), createServer()];
  await Promise.all(servers.map((server) => new Promise<void>((done) => server.listen(0, '127.0.0.1', done))));
  t.after(() => servers.map((server) => server.close()));
  const [allowed, shut] = servers.map((server) => (server.address() as AddressInfo).port);
  const harness = await processHarness({
    isolation: 'auto',
    allowHostPorts: [allowed ?? 0],
    required: ['network'],
  });
  try {
    if (!(await inForce(harness, 'network'))) return t.skip('optional: networks need root');
    const command = `node reach.js "$BERTH_HOST_ADDRESS:${allowed}" "$BERTH_HOST_ADDRESS:${shut}"`;
    const spec = specFor(harness, 'reach.js', [], { command });
    await harness.engine.start(spec);
    await untilLine(harness, spec, 'done');
    await untilState(harness.engine, spec.id, 'exited');
    const lines = appLines(harness, spec);
    assert.ok(
      lines.some((line) => line.endsWith(`:${allowed} open`)),
      lines.join(' | '),
    );
    assert.ok(
      lines.some((line) => line.endsWith(`:${shut} shut`)),
      lines.join(' | '),
    );
    assert.equal(ownNamespaces(harness.installId).length, 1);
  } finally {
    await harness.close();
  }
  assert.deepEqual(ownNamespaces(harness.installId), []);
});

test('an instance reaches what this machine has routes to, but no instance of another engine', async (t) => {
  if (!(await probeMachine('beside', 'auto', false)).network) return t.skip('networks need root');
  const [near, bridged] = [await createMachineNetwork(), await createMachineNetwork()];
  t.after(() => Promise.all([near.close(), bridged.close()]));
  await Promise.all([listen(t, near, 1), listen(t, near, 2), listen(t, bridged, 1)]);
  const elsewhere = { blocks: [`${near.address(1)}/32`], interfaces: [bridged.bridge] };
  const harness = await processHarness({ isolation: 'auto', elsewhere, required: ['network'] });
  t.after(() => harness.close());
  const targets = [near.address(2), near.address(1), bridged.address(1)].map((address) => `${address}:${port}`);
  const spec = specFor(harness, 'reach.js', targets);
  await harness.engine.start(spec);
  await untilLine(harness, spec, 'done');
  const words = ['open', 'shut', 'shut'];
  assert.deepEqual(appLines(harness, spec).slice(-4), [
    ...targets.map((target, at) => `${target} ${words[at]}`),
    'done',
  ]);
});

const port = 8080;

/** Resolves when the machine of that number answers there. */
async function listen(t: TestContext, network: MachineNetwork, number: number): Promise<void> {
  await network.plug(number);
  const script = `require('node:net').createServer((socket) => socket.end()).listen(${port}, () => console.log('ready'))`;
  const argv = ['nsenter', `--net=/run/netns/${network.namespace(number)}`, process.execPath, '-e', script];
  const server = start(argv, { environment: systemEnvironment });
  t.after(async () => {
    server.kill('SIGKILL');
    await ended;
  });
  const ended = once(server, 'exit');
  assert.ok(server.stdout);
  await once(server.stdout, 'data');
}

/** Other tests have namespaces at the same time; an install's own carry its id. */
function ownNamespaces(installId: string): string[] {
  try {
    return readdirSync('/run/netns').filter((name) => name.startsWith(`bth${installId.slice(0, 6)}`));
  } catch {
    return [];
  }
}

test('addresses: a block that nothing routes, cut into pairs', () => {
  const free = chooseBlock('00000000', []);
  assert.equal(toAddress(free.base), '10.128.0.0');
  const next = chooseBlock('00000000', [{ base: toNumber('10.128.4.7'), size: 1 }]);
  assert.equal(toAddress(next.base), '10.128.16.0');
  assert.deepEqual(addressesOf(next, 1), { gateway: '10.128.16.5', address: '10.128.16.6' });
  assert.throws(() => chooseBlock('00000000', [{ base: toNumber('10.0.0.0'), size: 2 ** 24 }]));
});

const nowhere = { blocks: [], interfaces: [] };

test('firewall: answers, then allowed ports, then nothing', () => {
  const plan = {
    prefix: 'bthabc',
    block: '10.128.0.0/20',
    allowHostPorts: [5432],
    elsewhere: nowhere,
    spaces: [],
    routes: [],
  };
  const input = firewallRules(plan)
    .split('\n')
    .filter((line) => line.startsWith('-A bthabc-in'));
  assert.deepEqual(input, [
    '-A bthabc-in -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT',
    '-A bthabc-in -d 127.0.0.1 -p tcp --dport 5432 -m conntrack --ctstate DNAT -j ACCEPT',
    '-A bthabc-in -j DROP',
  ]);
});

test('addresses: spaces from below, single ones from above, never in each other’s', () => {
  assert.equal(freePair(new Set([0]), new Set([5])), 2);
  assert.equal(freePlace(10, new Set([2]), new Set([7])), 6);
  assert.equal(freePlace(0, new Set([1023]), new Set()), 4091);
  assert.throws(() => freePair(new Set(Array.from({ length: 1024 }, (_, index) => index)), new Set()));
});

test('firewall: a space’s networks reach each other, a link’s backends have equal chances', () => {
  const backends = [1, 2, 3].map((last) => ({ host: `10.128.0.${last}`, port: 80 }));
  const routes = [
    { address: '10.128.15.9', port: 6379, backends },
    { address: '10.128.15.8', port: 1, backends: [] },
  ];
  const elsewhere = { blocks: ['10.64.0.0/10'], interfaces: ['gw'] };
  const plan = { prefix: 'bthabcdef', block: '10.128.0.0/20', allowHostPorts: [], elsewhere, spaces: [36], routes };
  const lines = firewallRules(plan).split('\n');
  assert.deepEqual(
    lines.filter((line) => line.startsWith('-A bthabcdef-lnk')),
    ['--probability 0.3333333333 ', '--probability 0.5000000000 ', ''].map(
      (chance, index) =>
        `-A bthabcdef-lnk -d 10.128.15.9 -p tcp --dport 6379 ${chance === '' ? '' : `-m statistic --mode random ${chance}`}` +
        `-j DNAT --to-destination 10.128.0.${index + 1}:80`,
    ),
  );
  assert.deepEqual(
    lines.filter((line) => line.startsWith('-A bthabcdef-spc')),
    [
      '-A bthabcdef-spc -i bthabcdefn36 -o bthabcdefn36 -j ACCEPT',
      '-A bthabcdef-spc -i bthabcdefn36 -o bthabcdefs10+ -j ACCEPT',
      '-A bthabcdef-spc -i bthabcdefs10+ -o bthabcdefn36 -j ACCEPT',
      '-A bthabcdef-spc -i bthabcdefs10+ -o bthabcdefs10+ -j ACCEPT',
    ],
  );
  const forward = lines.filter((line) => line.startsWith('-A bthabcdef-fwd'));
  const own = forward.indexOf('-A bthabcdef-fwd -o bthabcdef+ -j bthabcdef-spc');
  const out = forward.indexOf('-A bthabcdef-fwd -i bthabcdef+ -j ACCEPT');
  for (const where of ['-d 10.128.0.0/20', '-d 10.64.0.0/10', '-o gw']) {
    const refusal = forward.indexOf(`-A bthabcdef-fwd ${where} -j REJECT`);
    assert.ok(refusal > own && refusal < out, where);
  }
});
