/** A database client through a tunnel to the add-on of one's own app, on a whole platform; and no way to anything else. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import pg from 'pg';
import ssh2, { type ClientChannel } from 'ssh2';
import { createApp } from '../support/deploy.ts';
import { startPlatform, type TestPlatform } from '../support/platform.ts';
import { coreBeside } from './support/core-of.ts';
import { machine, missingProgram } from './support/programs.ts';

const missing = await missingProgram('ssh-keygen');
const options = { skip: missing === null ? false : `${missing} is not installed` };

test('a tunnel reaches the database of one’s own app only', options, async (t) => {
  const platform = await startPlatform(t);
  const { core, admin, person } = await coreBeside(t, platform);
  const stranger = await person('stranger');
  await createApp(platform, 'ledger');
  const { operation } = await core.addons.create(admin, { app: 'ledger', service: 'postgresql', plan: 'free' });
  assert.equal((await core.addons.whenDone(operation, 60_000)).status, 'succeeded');
  const variables = await core.config.list(admin, 'ledger');
  const url = new URL(variables.find(({ name }) => name === 'DATABASE_URL')?.value.reveal() ?? '');

  const mine = await machine(t);
  const [own, theirs] = [await mine.key('ed25519'), await mine.key('ecdsa')];
  await core.keys.add(admin, { name: 'laptop', content: own.publicLine });
  await core.keys.add(stranger.actor, { name: 'laptop', content: theirs.publicLine });
  const me = await connect(t, platform, own.path);
  const other = await connect(t, platform, theirs.path);

  const bridge = createServer((socket) => {
    socket.on('error', () => {});
    tunnel(me, url.hostname, Number(url.port)).then(
      (channel) => {
        channel.on('error', () => {});
        socket.pipe(channel).pipe(socket);
      },
      () => socket.destroy(),
    );
  });
  await new Promise<void>((resolve) => bridge.listen(0, '127.0.0.1', resolve));
  t.after(() => void bridge.close());
  const client = new pg.Client({
    host: '127.0.0.1',
    port: (bridge.address() as AddressInfo).port,
    user: url.username,
    password: url.password,
    database: url.pathname.slice(1),
  });
  await client.connect();
  assert.deepEqual((await client.query('select current_user as who')).rows, [{ who: url.username }]);
  await client.end();

  const refused = (who: ssh2.Client, host: string, port: number): Promise<void> =>
    assert.rejects(
      tunnel(who, host, port),
      (error: Error & { reason?: number }) => error.reason === 1 && /add-ons of your own apps/.test(error.message),
      `${host}:${port}`,
    );
  await refused(other, url.hostname, Number(url.port));
  for (const [host, port] of [
    ['127.0.0.1', platform.port],
    ['localhost', platform.port + 22],
    [url.hostname, platform.port],
    ['169.254.169.254', 80],
  ] as const)
    await refused(me, host, port);
});

function tunnel(client: ssh2.Client, host: string, port: number): Promise<ClientChannel> {
  return new Promise((resolve, reject) =>
    client.forwardOut('127.0.0.1', 1, host, port, (error, channel) => (error ? reject(error) : resolve(channel))),
  );
}

async function connect(t: TestContext, platform: TestPlatform, keyPath: string): Promise<ssh2.Client> {
  const client = new ssh2.Client();
  t.after(() => void client.end());
  const privateKey = await readFile(keyPath);
  await new Promise<void>((resolve, reject) => {
    client.once('ready', resolve).once('error', reject);
    client.connect({ host: '127.0.0.1', port: platform.port + 22, username: 'git', privateKey });
  });
  client.on('error', () => {});
  return client;
}
