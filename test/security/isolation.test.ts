// test-timeout: 180
/** The platform seen from inside an app: what it must not see, reach or be. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { insideApp } from '../support/inside-app.ts';
import { ownAddress, reachable, readable, statusOf } from '../support/inside-code.ts';
import { outsideUrl } from '../support/outside.ts';
import { startPlatform } from '../support/platform.ts';

test('from inside an app', async (t) => {
  if (process.getuid?.() !== 0) {
    if (process.env.CI === 'true') assert.fail('the checks run as root');
    return t.skip('needs root');
  }
  // On every address of the host, so that only the isolation keeps an app out.
  const platform = await startPlatform(t, { environment: { BERTH_HOST: '0.0.0.0' } });
  await platform.akkeris.post('/spaces', { name: 'island' });
  const inside = await insideApp(platform, 'probe');
  const neighbour = await insideApp(platform, 'near');
  const stranger = await insideApp(platform, 'far', 'island');
  // Not those of other installs and of other tests’ machines: when one of them goes away amid the test, its address is the outside world's.
  const hostAddresses = Object.entries(networkInterfaces())
    .flatMap(([name, addresses]) => (/^b(th|s|d|r)/.test(name) ? [] : (addresses ?? [])))
    .filter((address) => address.family === 'IPv4' && !address.internal)
    .map((address) => address.address);

  await t.test('no file of the platform, of another app or of the host’s accounts', async () => {
    const { dataFolder } = platform;
    const units = (await readdir(join(dataFolder, 'agent', 'units'))).map((id) =>
      join(dataFolder, 'agent', 'units', id),
    );
    assert.equal(units.length, 3);
    const secret = [
      dataFolder,
      ...['admin.json', 'secret.key', 'logs', 'postgres', 'run', 'agent', 'artifacts'].map((name) =>
        join(dataFolder, name),
      ),
      ...units,
      '/root',
      '/home',
      '/etc/shadow',
      '/var/run/docker.sock',
      '/run',
      '/var/log',
      '/sys',
      '/dev/mem',
    ];
    assert.deepEqual(await inside(readable(secret)), []);
    assert.deepEqual(await inside(readable(['/app/server.js', '/etc/passwd', '/tmp'])), [
      '/app/server.js',
      '/etc/passwd',
      '/tmp',
    ]);
  });

  await t.test('no place to write but its own', async () => {
    const written = await inside<string[]>(`
const fs = require('node:fs');
return ['/', '/usr', '/etc', '/bin', '/opt', '/var', '/dev', '/proc/sys/kernel', '/app', '/tmp'].filter((folder) => {
  try { fs.writeFileSync(folder + '/trial', 'x'); fs.unlinkSync(folder + '/trial'); return true; } catch { return false; }
});`);
    assert.deepEqual(
      written.filter((folder) => folder !== '/dev'),
      ['/app', '/tmp'],
    );
  });

  await t.test('no rights, no other process, no foreign environment', async () => {
    const self = await inside<{ uid: number; status: string; processes: string[]; names: string[] }>(`
const fs = require('node:fs');
const pids = fs.readdirSync('/proc').filter((name) => Number(name) > 0);
return {
  uid: process.getuid(),
  status: fs.readFileSync('/proc/self/status', 'utf8'),
  processes: pids.map((pid) => fs.readFileSync('/proc/' + pid + '/cmdline', 'utf8').replaceAll('\\0', ' ')),
  names: Object.keys(process.env),
};`);
    assert.notEqual(self.uid, 0);
    assert.match(self.status, /^CapEff:\s+0+$/m);
    assert.match(self.status, /^CapBnd:\s+0+$/m);
    assert.match(self.status, /^NoNewPrivs:\s+1$/m);
    assert.ok(self.processes.length <= 6, self.processes.join('\n'));
    // What names the folders of the sandbox is its own first process; anything of another app or the platform is not.
    for (const line of self.processes) assert.doesNotMatch(line, /berth\.ts|postgres/);
    const told = [
      'BERTH_APP',
      'BERTH_PROCESS',
      'BERTH_INSTANCE',
      'BERTH_INSTANCE_ID',
      'BERTH_RELEASE',
      'BERTH_HOST_ADDRESS',
    ];
    assert.deepEqual(
      self.names.filter((name) => /^(BERTH|PG|NODE_TEST)/.test(name) && !told.includes(name)),
      [],
    );
    const other = await stranger<number>('return process.getuid()');
    assert.notEqual(other, self.uid, 'each app is a user of its own');
  });

  await t.test('no port of the platform, on loopback or any address of the host', async () => {
    const gateway = await inside<string>('return process.env.BERTH_HOST_ADDRESS');
    const ports = [platform.port, ...[1, 2, 3, 4, 43, 80].map((offset) => platform.port + offset), 5432, 22];
    const targets = ['127.0.0.1', '::1', gateway, ...hostAddresses].flatMap((host) =>
      ports.map((port) => `${host}:${port}`),
    );
    assert.deepEqual(await inside(reachable([...targets, '169.254.169.254:80'])), []);
  });

  await t.test('another app of its space, and none of another space', async () => {
    const [near, far, own] = [
      await neighbour<string>(ownAddress),
      await stranger<string>(ownAddress),
      await inside<string>(ownAddress),
    ];
    assert.deepEqual(await inside(reachable([near, far])), [near]);
    assert.deepEqual(await stranger(reachable([near, own, far])), [far]);
  });

  await t.test('the world outside', async (inner) => {
    const url = await outsideUrl();
    if (url === null) return inner.skip('optional: the npm registry cannot be reached from here');
    assert.equal(await inside(statusOf(url)), 200);
  });
});
