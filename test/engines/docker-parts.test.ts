/** The Docker engine's pure parts: versions, addresses, rules, frames, ends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpointOf } from '../../src/engines/docker/api/endpoint.ts';
import { OutputFrames } from '../../src/engines/docker/api/frames.ts';
import { failureIn } from '../../src/engines/docker/api/progress.ts';
import { agreeOnVersion } from '../../src/engines/docker/api/version.ts';
import { exitOf } from '../../src/engines/docker/exit.ts';
import type { Identity } from '../../src/engines/docker/identity.ts';
import { readStatus } from '../../src/engines/docker/images/stack-packages.ts';
import { gatewayRules } from '../../src/engines/docker/network/gateway-rules.ts';
import { nodeRules } from '../../src/engines/docker/network/node-rules.ts';
import {
  containerRange,
  freePlace,
  freeSubnet,
  parseSubnet,
  subnetText,
} from '../../src/engines/docker/network/subnets.ts';
import { isRoot, nameIn, numbered, ownerOf } from '../../src/engines/docker/owner.ts';
import { rounds } from '../../src/engines/docker/rounds.ts';
import { stopSignal } from '../../src/engines/docker/signals.ts';
import { statsOf } from '../../src/engines/docker/stats.ts';

test('the version: what both speak; too old or too new says what to do', () => {
  assert.equal(agreeOnVersion({ Version: '20.10.24', ApiVersion: '1.41', MinAPIVersion: '1.12' }), '1.41');
  assert.equal(agreeOnVersion({ Version: '99', ApiVersion: '1.99', MinAPIVersion: '1.44' }), '1.51');
  assert.throws(() => agreeOnVersion({ Version: '19.03.1', ApiVersion: '1.40' }), /19\.03\.1 .*1\.40.*1\.41.*20\.10/);
  assert.throws(() => agreeOnVersion({ Version: '99', ApiVersion: '1.99', MinAPIVersion: '1.60' }), /upgrade Berth/);
});

test('long work fails in a line of its answer, in the words of old and new versions', () => {
  assert.equal(failureIn('{"status":"Pulling"}\n{"errorDetail":{"message":"new"},"error":"old"}\n'), 'new');
  assert.equal(failureIn('{"errorDetail":{"code":1,"message":"new"}}'), 'new');
  assert.equal(failureIn({ error: 'old' }), 'old');
  assert.equal(failureIn('{"stream":"\\"error\\": \\"said by a step\\""}\nsha256:0'), null);
  assert.equal(failureIn(undefined), null);
});

test('a daemon over TCP is refused without TLS', () => {
  assert.deepEqual(endpointOf('unix:///run/docker.sock', null), { kind: 'unix', path: '/run/docker.sock' });
  const pem = '-----BEGIN CERTIFICATE-----';
  const tls = { ca: pem, certificate: pem, key: pem };
  assert.deepEqual(endpointOf('tcp://node:2376', tls), { kind: 'tcp', host: 'node', port: 2376, tls });
  assert.throws(() => endpointOf('tcp://node:2376', null), /needs TLS.*BERTH_DOCKER_TLS/);
  assert.throws(() => endpointOf('tcp://node:2376', { ...tls, certificate: '' }), /certificate .*BERTH_DOCKER_TLS/);
  assert.throws(() => endpointOf('node:2376', tls), { kind: 'invalid' });
});

test('addresses: the lowest free part of the pool; instances below, links above', () => {
  const pool = parseSubnet('10.64.0.0/10');
  const first = freeSubnet(pool, []);
  assert.ok(first);
  assert.equal(subnetText(first), '10.64.0.0/22');
  assert.equal(containerRange(first), '10.64.0.0/23');
  assert.equal(freePlace(first, new Set(['10.64.2.0'])), '10.64.2.1');
  const next = freeSubnet(pool, [first, parseSubnet('10.64.4.0/24')]);
  assert.ok(next);
  assert.equal(subnetText(next), '10.64.8.0/22');
  assert.equal(freeSubnet(parseSubnet('10.64.0.0/22'), [first]), undefined);
  assert.throws(() => parseSubnet('10.64.0.1/22'));
  assert.throws(() => parseSubnet('10.64.0.0/33'));
});

test('the node’s firewall: answers first, then allowed ports, then nothing; instances reach no pool and no machine of ours', () => {
  const lines = nodeRules({
    chainPrefix: 'B',
    bridge: 'gw',
    gateway: '172.18.0.1',
    pool: '10.64.0.0/10',
    allowHostPorts: [5432],
    refuse: ['192.0.2.7'],
    routers: ['192.0.2.8'],
  }).split('\n');
  assert.deepEqual(
    lines.filter((line) => line.startsWith('-A B-in')),
    [
      '-A B-in -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT',
      '-A B-in -d 127.0.0.1 -p tcp --dport 5432 -m conntrack --ctstate DNAT -j ACCEPT',
      '-A B-in -j DROP',
    ],
  );
  const forward = lines.filter((line) => line.startsWith('-A B-fwd'));
  for (const to of ['10.64.0.0/10', '169.254.0.0/16', '192.0.2.7']) {
    assert.ok(forward.includes(`-A B-fwd -i gw -d ${to} -j DROP`), to);
  }
  for (const out of ['gw', 'bth+']) assert.ok(forward.includes(`-A B-fwd -i gw -o ${out} -j DROP`), out);
  const router = forward.indexOf('-A B-fwd ! -i gw -s 192.0.2.8 -d 10.64.0.0/10 -j ACCEPT');
  assert.ok(router > 0 && router < forward.indexOf('-A B-fwd -d 10.64.0.0/10 -j DROP'));
});

test('a gateway: every backend of a link is as likely; without one there is no rule, so it refuses', () => {
  const backends = [1, 2, 3].map((last) => ({ host: `10.64.0.${last}`, port: 80 }));
  const routes = [
    { address: '10.64.2.0', port: 6379, backends },
    { address: '10.64.2.1', port: 1, backends: [] },
  ];
  const text = gatewayRules('10.64.0.0/22', '172.18.0.1', routes);
  assert.deepEqual(
    [...text.matchAll(/--probability (\S+)/g)].map((match) => match[1]),
    ['0.3333333333', '0.5000000000'],
  );
  assert.equal(text.match(/-j DNAT/g)?.length, 3);
  assert.ok(!text.includes('10.64.2.1'));
});

test('frames are found again however the stream is cut', () => {
  const frame = (stream: number, text: string): Buffer => {
    const head = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
    head.writeUInt32BE(Buffer.byteLength(text), 4);
    return Buffer.concat([head, Buffer.from(text)]);
  };
  const whole = Buffer.concat([frame(1, 'out'), frame(2, ''), frame(2, 'error'), frame(3, 'no more')]);
  for (let size = 1; size <= whole.length; size++) {
    const frames = new OutputFrames();
    const found: string[] = [];
    for (let at = 0; at < whole.length; at += size) {
      for (const each of frames.push(whole.subarray(at, at + size))) found.push(`${each.source} ${each.payload}`);
    }
    assert.deepEqual(found, ['stdout out', 'stderr ', 'stderr error', 'daemon no more']);
  }
  assert.throws(() => new OutputFrames().push(Buffer.from('HTTP/1.1 400 Bad')));
  assert.throws(() => new OutputFrames().push(frame(4, 'unheard of')));
});

test('ends: a code, a signal that was sent, a crash, memory, time', () => {
  const identity = { deadline: null } as Identity;
  const state = (ExitCode: number, OOMKilled = false) => ({
    ...{ Status: 'exited' as const, Running: false, Pid: 0, Error: '', ExitCode, OOMKilled },
    StartedAt: '2024-01-01T00:00:00Z',
    FinishedAt: '2024-01-01T00:00:05Z',
  });
  const brief = (exit: ReturnType<typeof exitOf>) => [exit.code, exit.signal, exit.outOfMemory, exit.timedOut];
  assert.deepEqual(brief(exitOf(state(3), identity, null)), [3, null, false, false]);
  assert.deepEqual(brief(exitOf(state(137), identity, null)), [137, null, false, false]);
  assert.deepEqual(brief(exitOf(state(137), identity, 'SIGKILL')), [null, 'SIGKILL', false, false]);
  assert.deepEqual(brief(exitOf(state(143), identity, 'SIGKILL')), [143, null, false, false]);
  assert.deepEqual(brief(exitOf(state(139), identity, null)), [null, 'SIGSEGV', false, false]);
  assert.deepEqual(brief(exitOf(state(134), identity, null)), [null, 'SIGABRT', false, false]);
  assert.deepEqual(brief(exitOf(state(137, true), identity, null)), [null, 'SIGKILL', true, false]);
  // One of its processes died of memory; the main one went on, and ended otherwise.
  assert.deepEqual(brief(exitOf(state(0, true), identity, null)), [0, null, false, false]);
  assert.deepEqual(brief(exitOf(state(1, true), identity, null)), [1, null, false, false]);
  assert.deepEqual(brief(exitOf(state(137, true), identity, 'SIGTERM')), [null, 'SIGKILL', true, false]);
  assert.deepEqual(brief(exitOf(state(137, true), identity, 'SIGKILL')), [null, 'SIGKILL', false, false]);
  assert.deepEqual(brief(exitOf(state(131), identity, 'SIGQUIT')), [null, 'SIGQUIT', false, false]);
  const late = { ...identity, deadline: '2024-01-01T00:00:04Z' };
  assert.deepEqual(brief(exitOf(state(143), late, 'SIGTERM')), [null, 'SIGTERM', false, true]);
  const failed = { ...state(127), Error: 'runc: exec: "no": not found: unknown', StartedAt: '0001-01-01T00:00:00Z' };
  assert.equal(exitOf(failed, identity, null).startError, '"no": not found');
});

test('what a daemon did not read is not told as nothing', () => {
  const read = {
    read: '2024-01-01T00:00:00Z',
    cpu_stats: { cpu_usage: { usage_in_usermode: 2e9, usage_in_kernelmode: 1e9 } },
    memory_stats: { usage: 10, stats: { total_rss: 7, total_cache: 3 } },
    pids_stats: { current: 2 },
  };
  const identity = { id: 'i', podKey: null, memoryBytes: 99 } as Identity;
  const found = statsOf(identity, read);
  assert.deepEqual([found?.memory.usageBytes, found?.memory.residentBytes, found?.pids], [10, 7, 2]);
  assert.deepEqual(found?.cpu, { userSeconds: 2, systemSeconds: 1 });
  assert.equal(statsOf(identity, { ...read, memory_stats: {}, pids_stats: {} }), null);
  // Of one that ended after it was listed there is nothing but zeros.
  const ended = { ...read, read: '0001-01-01T00:00:00Z', memory_stats: { usage: 0 }, pids_stats: { current: 0 } };
  assert.equal(statsOf(identity, ended), null);
});

test('the signal that an image asks for: by name, by number; SIGTERM for what is none', () => {
  for (const said of ['SIGQUIT', 'QUIT', 'sigquit', '3']) assert.equal(stopSignal(said), 'SIGQUIT', said);
  for (const said of [undefined, '', 'TERM', '15', '0', '65', '999', 'NOTHING', '-9'])
    assert.equal(stopSignal(said), 'SIGTERM', said);
  // Those of systemd and others have no name of their own.
  assert.equal(stopSignal('SIGRTMIN+3'), 'SIGRTMIN+3');
  assert.equal(stopSignal('37'), '37');
});

test('packages: alternatives, versions, architectures and virtual names are read', () => {
  const { packages, provided } = readStatus(
    [
      'Package: one\nStatus: install ok installed\nEssential: yes\nVersion: 1.2\nDepends: two (>= 3) | three:any, four [amd64]',
      'Package: gone\nStatus: deinstall ok config-files\nVersion: 1',
      'Package: mawk\nStatus: install ok installed\nVersion: 9\nProvides: awk (= 9), other',
    ].join('\n\n'),
  );
  assert.deepEqual([...packages.keys()], ['one', 'mawk']);
  assert.deepEqual(packages.get('one'), { version: '1.2', essential: true, depends: [['two', 'three'], ['four']] });
  assert.equal(provided.get('awk'), 'mawk');
});

test('users of images: root under every spelling, names that only the image knows, the numbers they have', () => {
  for (const user of ['', '0', '00', '+0', '-0', '0:0', '000:7', 'root', 'root:users', ':5'])
    assert.ok(isRoot(user), user);
  for (const user of ['1', '10', 'nobody', '1000:0', 'rootless']) assert.ok(!isRoot(user), user);
  for (const user of ['', ':users', '1000', '+5', '1000:users']) assert.equal(nameIn(user), null, user);
  for (const user of ['node', 'node:7', '0x0', '1e3']) assert.equal(nameIn(user), user.split(':')[0]);
  const passwd = 'root:x:0:0::/:\n node:x:1000:1001::/:/bin/sh\nnode:x:0:0\ntoor:x:0:9\nodd:x:many:\nshort';
  assert.equal(numbered('node', passwd), '1000:1001');
  assert.equal(numbered('node:users', passwd), '1000:users');
  for (const name of ['toor', 'odd', 'short']) assert.ok(isRoot(numbered(name, passwd) ?? 'unknown'), name);
  assert.equal(numbered('nod', passwd), null);
  assert.deepEqual(ownerOf('4321:7'), { uid: 4321, gid: 7 });
  assert.deepEqual(ownerOf('4321:users'), { uid: 4321, gid: 4321 });
  assert.deepEqual(ownerOf('0:0'), { uid: 0, gid: 0 });
});

test('callers that come during a round share the next one', async () => {
  let begun = 0;
  const open = Promise.withResolvers<void>();
  const ask = rounds(async () => {
    begun += 1;
    await open.promise;
  });
  const all = [ask(), ask(), ask()];
  open.resolve();
  await Promise.all(all);
  assert.equal(begun, 2);
});
