/** Parts of the Docker engine's builds that need no daemon. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import type { InstanceSpec } from '../../src/core/ports/engine.ts';
import { Secret } from '../../src/core/ports/secret.ts';
import { DockerApi } from '../../src/engines/docker/api/docker-api.ts';
import { BuildProgress } from '../../src/engines/docker/images/build/build-progress.ts';
import { loadBuildKitMessages, type Vertex } from '../../src/engines/docker/images/build/buildkit-messages.ts';
import { openBuildKitSession } from '../../src/engines/docker/images/build/buildkit-session.ts';
import { exposedPorts } from '../../src/engines/docker/images/describe-built.ts';
import { withImagePort } from '../../src/engines/docker/images/image-port.ts';
import { buildJumps, buildRules } from '../../src/engines/docker/network/build-rules.ts';
import { start } from '../../src/lib/exec.ts';
import { until } from '../support/until.ts';

test('progress is told step by step, each line with the number of its step', () => {
  const lines: string[] = [];
  const progress = new BuildProgress((line) => lines.push(line));
  const vertex = (digest: string, change: Partial<Vertex>): Vertex => ({
    ...{ digest, name: `step ${digest}`, cached: false, started: null, completed: null, error: '' },
    ...change,
  });
  const at = (seconds: number) => ({ seconds, nanos: 500_000_000 });
  const take = (vertexes: Vertex[], logs: [string, string][] = []): void =>
    progress.take({
      vertexes,
      statuses: [],
      logs: logs.map(([digest, msg]) => ({ vertex: digest, msg: Buffer.from(msg) })),
    });
  take([vertex('i', { name: '[internal] load build context', started: at(1) })]);
  take([vertex('a', {}), vertex('b', { started: at(1) })]);
  take(
    [vertex('a', { started: at(2) })],
    [
      ['b', 'one\ntw'],
      ['a', 'other'],
    ],
  );
  take(
    [],
    [
      ['b', 'o\r\n10%\r100%\n'],
      ['unknown', 'lost\n'],
    ],
  );
  take([vertex('b', { started: at(1), completed: at(3) })]);
  take([vertex('b', { started: at(1), completed: at(3) })]);
  take([vertex('c', { started: at(3), completed: at(3), cached: true })]);
  take([vertex('a', { started: at(2), completed: at(4), error: 'exit code: 1' })]);
  assert.deepEqual(lines, [
    ...['#1 step b', '#2 step a', '#1 one', '#1 two', '#1 100%', '#1 DONE 2.0s'],
    ...['#3 step c', '#3 CACHED', '#2 other', '#2 ERROR: exit code: 1'],
  ]);
});

test('the messages of BuildKit are read as it writes them', async () => {
  const { progress } = await loadBuildKitMessages();
  // A status of BuildKit with one vertex (its digest, name and start) and one line of output.
  const bytes = Buffer.concat([
    Buffer.from([0x0a, 0x13, 0x0a, 0x02, 0x64, 0x31, 0x1a, 0x04, 0x73, 0x74, 0x65, 0x70, 0x20, 0x01, 0x2a, 0x05]),
    Buffer.from([0x08, 0x90, 0x4e, 0x10, 0x05]),
    Buffer.from([0x1a, 0x0c, 0x0a, 0x02, 0x64, 0x31, 0x18, 0x01, 0x22, 0x04, 0x6f, 0x6e, 0x65, 0x0a]),
  ]);
  const read = progress.read(bytes);
  assert.deepEqual(read.vertexes, [
    { digest: 'd1', name: 'step', cached: true, started: { seconds: 10_000, nanos: 5 }, completed: null, error: '' },
  ]);
  assert.deepEqual(read.logs, [{ vertex: 'd1', msg: Buffer.from('one\n') }]);
  assert.deepEqual(read.statuses, []);
  assert.throws(() => progress.read(Buffer.from([0x0a, 0x50])));
});

test('the port of an image is what the config says, else the lowest that it exposes', () => {
  const spec = (ports: InstanceSpec['ports'], port?: string) =>
    ({ ports, environment: port === undefined ? {} : { PORT: new Secret(port) } }) as InstanceSpec;
  const portsOf = (wanted: InstanceSpec, own: boolean, ports: number[]) => withImagePort(wanted, { own, ports }).ports;
  assert.deepEqual(portsOf(spec('any'), false, [80, 443]), [80]);
  assert.deepEqual(portsOf(spec('any', '443'), false, [80, 443]), [443]);
  assert.deepEqual(portsOf(spec('any', '5000'), false, []), [5_000]);
  for (const wrong of ['0', '65536', 'http', '', '80.5']) {
    assert.deepEqual(portsOf(spec('any', wrong), false, [80]), [80], wrong);
  }
  assert.equal(portsOf(spec('any'), false, []), 'any');
  assert.equal(portsOf(spec('any', '5000'), true, [80]), 'any');
  assert.deepEqual(portsOf(spec([9_000]), false, [80]), [9_000]);
  assert.deepEqual(portsOf(spec([]), false, [80]), []);
  assert.deepEqual(exposedPorts({ '443/tcp': {}, '80': {}, '53/udp': {}, '70000/tcp': {}, 'x/tcp': {} }), [80, 443]);
  assert.deepEqual(exposedPorts(null), []);
});

test('the firewall of builds keeps steps from the node, the platform, spaces and each other', () => {
  const rules = buildRules({ chainPrefix: 'B', bridge: 'docker0', pool: '10.64.0.0/10', refuse: ['192.0.2.1'] });
  const lines = rules.split('\n');
  const order = [
    '-A B-bin -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT',
    '-A B-bin -p udp --dport 53 -j ACCEPT',
    '-A B-bin -j DROP',
    '-A B-bfw -i docker0 -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT',
    '-A B-bfw -i docker0 -o docker0 -j DROP',
    '-A B-bfw -i docker0 -o bth+ -j DROP',
    '-A B-bfw -i docker0 -d 10.64.0.0/10 -j DROP',
    '-A B-bfw -i docker0 -d 169.254.0.0/16 -j DROP',
    '-A B-bfw -i docker0 -d 192.0.2.1 -j DROP',
    'COMMIT',
  ].map((line) => lines.indexOf(line));
  assert.ok(!order.includes(-1), rules);
  assert.deepEqual(
    order,
    order.toSorted((a, b) => a - b),
  );
  assert.deepEqual(
    buildJumps({ chainPrefix: 'B', bridge: 'docker0' }).map(({ table, words }) => [table, ...words].join(' ')),
    ['filter INPUT -i docker0 -j B-bin', 'filter DOCKER-USER -j B-bfw'],
  );
});

/** A daemon that takes a session; `ask` calls the client back, as BuildKit does. */
async function sessionWith(t: TestContext, offer: Parameters<typeof openBuildKitSession>[2]) {
  const folder = mkdtempSync(join(tmpdir(), 'berth-session-'));
  const daemon = createServer((_request, response) => response.end('{"Version":"20.10.24","ApiVersion":"1.41"}'));
  const upgraded = new Promise<{ socket: Duplex; headers: NodeJS.Dict<string | string[]> }>((resolve) =>
    daemon.once('upgrade', (request, socket) => {
      socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
      resolve({ socket, headers: request.headers });
    }),
  );
  await new Promise<void>((resolve) => daemon.listen(join(folder, 'socket'), resolve));
  const api = new DockerApi({ kind: 'unix', path: join(folder, 'socket') });
  const messages = await loadBuildKitMessages();
  const session = await openBuildKitSession(api, messages, offer, new AbortController().signal);
  const { socket, headers } = await upgraded;
  const client = connect('http://session', { createConnection: () => socket });
  t.after(() => {
    client.destroy();
    session.close();
    api.close();
    daemon.close();
    daemon.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  });
  const ask = async (path: string, message: Buffer): Promise<{ status: string; message: Buffer }> => {
    const call = client.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let status = '';
    const note = (words: NodeJS.Dict<string | string[]>): void => {
      status = String(words['grpc-status'] ?? status);
    };
    call.once('response', note).once('trailers', note);
    const frame = Buffer.alloc(5);
    frame.writeUInt32BE(message.length, 1);
    call.end(Buffer.concat([frame, message]));
    const answer = await buffer(call);
    return { status, message: answer.subarray(5) };
  };
  return { ask, headers, session, messages };
}

test('a session answers for secrets and registries, and for nothing else', async (t) => {
  const { ask, headers, session, messages } = await sessionWith(t, {
    secrets: { TOKEN: new Secret('value\nof token') },
    credentials: async (host) => {
      if (host === 'broken.test') throw new Error('s3cret of the platform');
      return host === 'registry.test' ? { username: 'robot', password: new Secret('password') } : null;
    },
  });
  assert.equal(headers.upgrade, 'h2c');
  assert.equal(headers['x-docker-expose-session-uuid'], session.id);
  const secret = (ID: string) =>
    ask('/moby.buildkit.secrets.v1.Secrets/GetSecret', messages.secretRequest.write({ ID }));
  const found = await secret('TOKEN');
  assert.equal(found.status, '0');
  assert.equal(Buffer.from(messages.secretResponse.read(found.message).data).toString(), 'value\nof token');
  for (const name of ['OTHER', 'toString', '__proto__', '']) assert.equal((await secret(name)).status, '5', name);
  const signIn = (Host: string) =>
    ask('/moby.filesync.v1.Auth/Credentials', messages.credentialsRequest.write({ Host }));
  const { message } = await signIn('registry.test');
  assert.deepEqual(messages.credentialsResponse.read(message), { Username: 'robot', Secret: 'password' });
  assert.deepEqual(messages.credentialsResponse.read((await signIn('other.test')).message), {
    Username: '',
    Secret: '',
  });
  const broken = await signIn('broken.test');
  assert.equal(broken.status, '13');
  const health = await ask('/grpc.health.v1.Health/Check', messages.healthRequest.write({ service: '' }));
  assert.equal(messages.healthResponse.read(health.message).status, 1);
  assert.equal((await ask('/moby.filesync.v1.FileSync/DiffCopy', Buffer.alloc(0))).status, '12');
});

test('each step gets its limits in whatever control groups the node has, and nobody else', async (t) => {
  const step = 'abcdefghijklmnopqrstuvwx1';
  const container = 'f'.repeat(64);
  const limits = { memoryBytes: 1_000_000, cpuShares: 256, pids: 512 };
  const begin = async (root: string): Promise<void> => {
    const script = readFileSync(
      join(import.meta.dirname, '../../src/engines/docker/images/build/step-warden.ts'),
      'utf8',
    );
    const argv = [
      process.execPath,
      '--input-type=module-typescript',
      '--eval',
      script,
      JSON.stringify({ root, ...limits }),
    ];
    const child = start(argv, { environment: {}, stdio: ['pipe', 'pipe', 'ignore'] });
    const ended = once(child, 'exit');
    t.after(async () => {
      child.stdin?.end();
      await ended;
    });
    assert.ok(child.stdout !== null);
    assert.equal(String((await once(child.stdout, 'data'))[0]), 'ready\n');
  };
  const roots = mkdtempSync(join(tmpdir(), 'berth-groups-'));
  t.after(() => rmSync(roots, { recursive: true, force: true }));
  const said = (...path: string[]): string =>
    existsSync(join(roots, ...path)) ? readFileSync(join(roots, ...path), 'utf8') : '';

  // Version 1 below the driver cgroupfs, where each kind has a tree of its own.
  for (const kind of ['memory', 'cpu', 'pids'])
    mkdirSync(join(roots, 'one', kind, 'docker', 'buildkit'), { recursive: true });
  await begin(join(roots, 'one'));
  for (const kind of ['memory', 'cpu', 'pids']) {
    mkdirSync(join(roots, 'one', kind, 'docker', 'buildkit', step));
    mkdirSync(join(roots, 'one', kind, 'docker', container));
  }
  const below = ['docker', 'buildkit', step];
  const limitsOfOne = {
    pids: { 'pids.max': '512' },
    memory: { 'memory.limit_in_bytes': '1000000', 'memory.memsw.limit_in_bytes': '1000000' },
    cpu: { 'cpu.shares': '256' },
  };
  for (const [kind, files] of Object.entries(limitsOfOne))
    for (const [file, value] of Object.entries(files))
      await until(`${file} is ${value}`, () => said('one', kind, ...below, file) === value);

  // Version 2, with the names that both drivers give.
  mkdirSync(join(roots, 'two', 'system.slice'), { recursive: true });
  writeFileSync(join(roots, 'two', 'cgroup.controllers'), 'cpu memory pids');
  await begin(join(roots, 'two'));
  const places = [
    join('system.slice', `docker-${step}.scope`),
    `system.slice:docker:${step}`,
    join('docker', 'buildkit', step),
  ];
  const others = [
    join('system.slice', `docker-${container}.scope`),
    join('docker', container),
    join('system.slice', 'ssh.service'),
  ];
  for (const place of [...places, ...others]) mkdirSync(join(roots, 'two', place), { recursive: true });
  for (const place of places) {
    const wanted = { 'pids.max': '512', 'memory.max': '1000000', 'memory.swap.max': '0', 'cpu.weight': '10' };
    for (const [file, value] of Object.entries(wanted))
      await until(`${file} of ${place} is ${value}`, () => said('two', place, file) === value);
  }
  for (const place of others) assert.deepEqual(readdirSync(join(roots, 'two', place)), []);
  assert.deepEqual(readdirSync(join(roots, 'one', 'memory', 'docker', container)), []);
});
