// test-timeout: 300
/** The Docker engine over TCP with mutual TLS: all that goes over a connection works, and what is wrong with it is said by its name. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { InstanceSpec } from '../../src/core/ports/engine.ts';
import type { LogLine } from '../../src/core/ports/log-store.ts';
import { Secret } from '../../src/core/ports/secret.ts';
import { DockerApi } from '../../src/engines/docker/api/docker-api.ts';
import type { TlsMaterial } from '../../src/engines/docker/api/endpoint.ts';
import { createDockerEngine } from '../../src/engines/docker/engine.ts';
import { systemClock, systemIds } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { openDockerEngine } from '../../src/main/engine.ts';
import { readSettings } from '../../src/main/settings.ts';
import { createTlsAuthority } from '../support/docker-tls.ts';
import { missingForDocker, startMachines } from '../support/swarm.ts';
import { command, isInstalled } from '../support/system-command.ts';
import { until } from '../support/until.ts';
import { artifactDigest, makeDataFolder } from './support/process-harness.ts';

const lackOfTls = isInstalled('openssl') ? null : 'not installed: openssl';
const lack = missingForDocker() ?? lackOfTls;
const patienceMs = 120_000;

test('an engine over TLS: start, log, exec both ways, attach, a terminal; who has no part in it is told why', async (t) => {
  if (lack !== null) return t.skip(lack);
  const machines = await startMachines(1, { tls: true });
  const dataFolder = makeDataFolder();
  let close = async (): Promise<void> => {};
  t.after(async () => {
    try {
      await close();
    } finally {
      await machines.close();
      rmSync(dataFolder, { recursive: true, force: true });
    }
  });
  const [machine] = machines.machines;
  assert.ok(machine);
  await machines.routePool(machine);
  const lines: LogLine[] = [];
  const engine = createDockerEngine({
    ...{ host: machine.host, tls: machine.tls, installId: randomBytes(4).toString('hex') },
    ...{ stateFolder: join(dataFolder, 'docker'), artifactFolder: join(dataFolder, 'artifacts') },
    ...{ clock: systemClock, logger: silentLogger, addressPool: machines.addressPool },
    ...{ advertiseAddress: machine.address, routers: [machines.hostAddress] },
    logAppender: { append: async (_stream, more) => void lines.push(...more) },
  });
  close = () => engine.close({ everything: true });
  const [node] = (await engine.describe()).nodes;
  assert.match(node?.software ?? '', /^Docker \d\S*, API 1\.\d+$/);

  const web = specOf(['node', 'serve.js']);
  await engine.start(web);
  const found = async (id: string) => (await engine.list()).find((instance) => instance.id === id);
  const address = await until('it runs', async () => (await found(web.id))?.address, patienceMs);
  const asked = () =>
    fetch(`http://${address.host}:${address.port}/`).then(
      (answer) => answer.text(),
      () => null,
    );
  assert.equal(await until('it answers', asked), 'over TLS');
  await until('its log', () => lines.some((line) => line.text.startsWith('listening on')));

  // Events and the log are quiet now: whether their machine is still there is asked by the kernel.
  await until('every connection is asked whether it lives', async () => {
    const open = await command('ss', '-tnoH', 'state', 'established', 'dst', `${machine.address}:2376`);
    return (
      open.trim() !== '' &&
      open
        .trim()
        .split('\n')
        .every((line) => line.includes('timer:(keepalive,'))
    );
  });

  const session = await engine.exec(web.id, { command: ['node', 'copy.js', '7'] });
  session.stdin.end('there and back');
  assert.equal(await text(session.stdout), 'there and back');
  assert.equal((await session.exit).code, 7);
  const terminal = { columns: 91, rows: 17 };
  const sized = await engine.exec(web.id, { command: ['stty', 'size'], terminal });
  assert.equal((await text(sized.stdout)).trim(), '17 91');

  const oneOff = specOf(['node', 'copy.js', '6'], { kind: 'one-off', stdin: true, ports: [] });
  await engine.start(oneOff);
  const attached = await engine.attach(oneOff.id);
  attached.stdin.end('typed');
  assert.equal(await text(attached.stdout), 'typed');
  assert.equal((await attached.exit).code, 6);

  const other = await createTlsAuthority(join(dataFolder, 'other'));
  const stranger = await other.issue('client');
  const { ca, certificate, key } = machine.tls;
  const { hostname: host, port } = new URL(machine.host);
  const asWith = (tls: TlsMaterial) => ask({ host, port: Number(port), tls });
  await assert.rejects(asWith({ ca: stranger.ca, certificate, key }), unavailable(/not of the CA .*BERTH_DOCKER_TLS/));
  const refused = unavailable(/refuses the client certificate .*BERTH_DOCKER_TLS/);
  await assert.rejects(asWith({ ...stranger, ca }), refused);
  await assert.rejects(asWith({ ca, certificate: '', key: '' }), refused);
  assert.match(String(await asWith({ ca, certificate, key })), /^[0-9A-Z:]{12,}/);
});

test('a certificate for another address, and a port without TLS, are told apart', async (t) => {
  if (lackOfTls !== null) return t.skip(lackOfTls);
  const folder = mkdtempSync(join(tmpdir(), 'berth-tls-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const tls = await (await createTlsAuthority(join(folder, 'tls'))).issue('elsewhere');
  const { createServer: createTlsServer } = await import('node:tls');
  for (const [server, says] of [
    [
      createServer((socket) => {
        socket.on('error', () => {});
        socket.once('data', () => socket.end('HTTP/1.0 400 Bad Request\r\n\r\n'));
      }),
      /--tlsverify/,
    ],
    [
      createTlsServer({ cert: tls.certificate, key: tls.key }, (socket) => socket.on('error', () => {})),
      /another address/,
    ],
  ] as const) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    await assert.rejects(ask({ host: '127.0.0.1', port, tls }), unavailable(says));
  }
});

test('settings: TCP without a folder, and a folder without its files, name the setting', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-tls-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const open = (more: Record<string, string>) => {
    const { settings } = readSettings([], { BERTH_DOCKER_HOST: 'tcp://192.0.2.1:2376', ...more });
    const parts = { settings, folder: { root: folder } } as unknown as Parameters<typeof openDockerEngine>[0];
    return openDockerEngine(parts, { carriesOutput: false });
  };
  await assert.rejects(open({}), { kind: 'invalid', message: /needs TLS.*BERTH_DOCKER_TLS/ });
  await assert.rejects(open({ BERTH_DOCKER_TLS: folder }), { kind: 'invalid', message: /BERTH_DOCKER_TLS must be/ });
  for (const name of ['ca.pem', 'cert.pem', 'key.pem']) writeFileSync(join(folder, name), 'not PEM');
  await assert.rejects(open({ BERTH_DOCKER_TLS: folder }), { kind: 'invalid', message: /no PEM.*BERTH_DOCKER_TLS/ });
});

const unavailable = (message: RegExp) => ({ kind: 'unavailable', message });

/** The daemon's id. */
async function ask(at: { host: string; port: number; tls: TlsMaterial }): Promise<unknown> {
  const api = new DockerApi({ kind: 'tcp', ...at });
  try {
    return (await api.call<{ ID: string }>('GET', '/info')).ID;
  } finally {
    api.close();
  }
}

function specOf(command: readonly string[], change: Partial<InstanceSpec> = {}): InstanceSpec {
  return {
    ...{ id: systemIds.id(), kind: 'process', appId: systemIds.id(), appHandle: 'tls', spaceId: 'tls' },
    ...{ processType: 'web', generation: 'g1', artifactDigest, command, ports: 'any', graceMs: 5_000 },
    environment: { MESSAGE: new Secret('over TLS') },
    limits: { memoryBytes: 256 * 2 ** 20, cpuShares: 1024, pids: 100 },
    ...change,
  };
}
