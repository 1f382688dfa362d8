// test-timeout: 400
/** Hostile input over the wire, to a whole platform: each is refused in clear words, and nothing outside its own folder changes. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ClientError } from '../../src/client/client.ts';
import { buildLog, createApp, deploy, endOfBuild, startBuild, type WireBuild } from '../support/deploy.ts';
import { startPlatform } from '../support/platform.ts';
import { processesWith } from '../support/processes.ts';
import { firstStatus, rawExchange } from '../support/raw-exchange.ts';
import { ask } from '../support/request.ts';
import { tarUri, versionedApp } from '../support/source.ts';
import { until } from '../support/until.ts';

const mark = `marker-${randomBytes(6).toString('hex')}`;
const mebibyte = 1024 * 1024;
const outside = join(tmpdir(), `escaped-${mark}`);

const status = (wanted: number) => (error: unknown) => error instanceof ClientError && error.status === wanted;

const archives: readonly (readonly [what: string, entries: Parameters<typeof tarUri>[0], words: RegExp])[] = [
  ['a path with ..', [{ name: `../../../../../../../..${outside}`, text: 'x' }], /leaves the archive/],
  ['an absolute path', [{ name: outside, text: 'x' }], /is absolute/],
  ['a link out', [{ name: 'a', type: 'symlink', linkname: '/tmp' }], /absolute path/],
  [
    'a file through a link',
    [
      { name: 'a', type: 'symlink', linkname: '../../../../../../tmp' },
      { name: `a/escaped-${mark}`, text: 'x' },
    ],
    /goes through/,
  ],
  ['a hard link out', [{ name: 'a', type: 'link', linkname: '../../../etc/passwd' }], /leaves the archive/],
  ['a device', [{ name: 'sda', type: 'block-device' }], /is a block device/],
  ['a bomb', [{ name: 'zeros', text: '\0'.repeat(48 * mebibyte) }], /200 times its size/],
];

const scripted = (script: string): Readonly<Record<string, string>> => ({
  Procfile: 'web: node x.js\n',
  'package.json': JSON.stringify({ name: 'hostile', private: true, scripts: { build: `node build.js ${mark}` } }),
  'build.js': script,
});
const forkBomb = `const { spawn } = require('node:child_process');
process.on('uncaughtException', () => {});
let failed = 0;
const more = () => {
  const child = spawn('/bin/sh', ['-c', 'sleep 600; :', ${JSON.stringify(mark)}], { stdio: 'ignore', detached: true });
  child.once('error', () => { failed += 1; if (failed > 20) process.exit(1); });
  setImmediate(more);
};
more();
`;
const builds: readonly (readonly [what: string, script: string, words: RegExp])[] = [
  [
    'prints for ever',
    "require('node:child_process').spawnSync('yes', { stdio: 'inherit' });",
    /printed more than 10 MiB/,
  ],
  ['takes all memory', 'const kept = []; for (;;) kept.push(Buffer.alloc(1 << 26, 1));', /more than 1 GiB of memory/],
  ['is a bomb of processes', forkBomb, /failed with exit code|was ended by/],
];

test('hostile input', async (t) => {
  const platform = await startPlatform(t);
  const { akkeris, token } = platform;
  const apiPort = platform.port + 2;
  const path = await createApp(platform, 'target');
  await deploy(platform, path, versionedApp('v1', mark));

  /** A request as bytes, with credentials. */
  const request = (head: string, body: string | Buffer = '', headers = ''): Promise<string> => {
    const bytes = Buffer.from(body);
    const text = `${head} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n${headers}Content-Length: ${bytes.length}\r\nConnection: close\r\n\r\n`;
    return rawExchange(apiPort, Buffer.concat([Buffer.from(text, 'latin1'), bytes]));
  };
  const failedBuild = async (source: Parameters<typeof startBuild>[2]): Promise<string> => {
    const { id } = await startBuild(platform, path, source);
    const build: WireBuild = await endOfBuild(platform, path, id);
    const log = (await buildLog(platform, path, id)).join('\n');
    assert.equal(build.status, 'failed', log.slice(-2_000));
    return log.slice(-2_000);
  };

  await t.test('archives that reach outside or hold what no source holds', async () => {
    for (const [what, entries, words] of archives) {
      assert.match(await failedBuild(await tarUri(entries)), words, what);
      assert.ok(!existsSync(outside), what);
    }
    assert.match(await failedBuild(`data:application/gzip;base64,${gzipSync('hello').toString('base64')}`), /damaged/);
    assert.match(await failedBuild('data:text/plain,hello'), /neither a tar|archive/);
  });

  await t.test('sources that point at the platform or its cloud', async () => {
    const addresses = [
      `http://127.0.0.1:${platform.port}/healthz`,
      `http://localhost:${apiPort}/apps`,
      `http://[::1]:${platform.routerPort}/`,
      `http://[::ffff:127.0.0.1]:${apiPort}/`,
      `http://2130706433:${apiPort}/`,
      'http://169.254.169.254/latest/meta-data/',
      'http://10.0.0.1/',
    ];
    for (const address of addresses) assert.match(await failedBuild(address), /cannot be fetched/, address);
    for (const address of ['file:///etc/passwd', 'ftp://example.test/a.tgz', '/etc/passwd']) {
      const refused = startBuild(platform, path, address).then(({ id }) => endOfBuild(platform, path, id));
      await refused.then(
        (build) => assert.equal(build.status, 'failed', address),
        (error: unknown) => assert.ok(status(422)(error), String(error)),
      );
    }
  });

  await t.test('builds that never end by themselves', async () => {
    for (const [what, script, words] of builds) {
      assert.match(await failedBuild(scripted(script)), words, what);
      // One is the app itself, which serves on.
      await until(`${what}: nothing is left`, async () => (await processesWith(mark)).length === 1);
    }
    assert.equal((await ask(platform, 'target')).status, 200);
  });

  await t.test('bodies', async () => {
    assert.equal(firstStatus(await request('POST /apps', '{"name":')), 400);
    assert.equal(firstStatus(await request('POST /apps', 'name=x')), 400);
    assert.equal(firstStatus(await request('POST /apps', `{"name":"${'x'.repeat(2 * mebibyte)}"}`)), 413);
    assert.equal(
      firstStatus(await request('POST /apps', '{"__proto__":{"name":"x"},"constructor":{"prototype":{}}}')),
      400,
    );
    assert.equal(firstStatus(await request('POST /apps', '['.repeat(200_000))), 400);
    assert.equal(firstStatus(await request('POST /apps', 'null')), 422);
    const invalid = Buffer.from([
      ...Buffer.from('{"name":"a'),
      0xff,
      0xfe,
      ...Buffer.from('","space":"default","org":"main"}'),
    ]);
    assert.equal(firstStatus(await request('POST /apps', invalid)), 422);
  });

  await t.test('heads', async () => {
    assert.equal(firstStatus(await request('GET /apps', '', `X-Long: ${'x'.repeat(64 * 1024)}\r\n`)), 431);
    assert.equal(firstStatus(await request(`GET /${'x'.repeat(64 * 1024)}`)), 431);
    assert.equal(firstStatus(await request('GET /apps', '', 'X Y: 1\r\n')), 400);
    assert.equal(firstStatus(await request('GET /apps', '', 'X: a\0b\r\n')), 400);
  });

  await t.test('names', async () => {
    const names = ['', '-x', 'x-y', '../x', 'x/y', 'ä', 'x\0', '$(id)', `x';drop table apps;--`, 'x'.repeat(70)];
    for (const name of names) {
      await assert.rejects(akkeris.post('/apps', { name, space: 'default', org: 'main' }), status(422), name);
    }
    for (const name of [1, {}, [], true]) {
      await akkeris
        .post('/apps', { name, space: 'default', org: 'main' })
        .then(() => akkeris.delete(`/apps/${String(name)}-default`))
        .catch((error: unknown) => assert.ok(status(422)(error), String(error)));
    }
    for (const name of ['a-b', 'a b', 'a=b', '', 'a\0', 'ä'])
      await assert.rejects(akkeris.patch(`${path}/config-vars`, { [name]: 'x' }), status(422), JSON.stringify(name));
    await assert.rejects(akkeris.patch(`${path}/config-vars`, { NUL: 'a\0b' }), status(422));
    await assert.rejects(akkeris.patch(`${path}/config-vars`, { HUGE: 'x'.repeat(100 * 1024) }), status(422));
  });

  await t.test('paths', async () => {
    const paths = [
      '/apps/..%2f..%2fetc%2fpasswd',
      '/apps/../../etc/passwd',
      '/apps/%00',
      '/apps/%ff%fe',
      '/apps/%zz',
      '/apps/target-default%2fbuilds',
      '/apps/target-default/builds/..%2f..',
      '/apps/target-default/builds/%27%20or%201=1',
      '/log-sessions/..%2f..',
      '/log-sessions/00',
      '/slugs/%00',
    ];
    for (const each of paths) {
      const answer = firstStatus(await request(`GET ${each}`));
      assert.ok([400, 404, 422].includes(answer), `${each}: ${answer}`);
    }
  });

  await t.test('smuggled requests to a real app', async () => {
    const host = platform.hostOf('target');
    const hidden = `GET /smuggled HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    const pairs = [
      `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
      `POST / HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${hidden}`,
      `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
      `POST / HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: xchunked\r\n\r\n${hidden}`,
      `POST / HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n${hidden}`,
    ];
    for (const bytes of pairs) {
      const answer = await rawExchange(platform.routerPort, bytes);
      assert.equal(firstStatus(answer), 400, JSON.stringify(bytes));
      assert.equal(answer.split('HTTP/1.1 ').length, 2, 'one answer, and no more');
      assert.ok(!answer.includes('"version"'), 'the app never saw it');
    }
  });

  await t.test('and the platform is as well as before', async () => {
    assert.equal((await ask(platform, 'target')).status, 200);
    assert.equal((await fetch(`http://127.0.0.1:${platform.port}/healthz`)).status, 200);
    assert.ok(!platform.output().includes(token));
    assert.doesNotMatch(platform.output(), /"level":"?(60|fatal)/);
  });
});
