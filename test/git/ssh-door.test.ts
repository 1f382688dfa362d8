/** The SSH door by itself, over a real core: who gets in, and what little they can do there. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import ssh2, { type ClientChannel, type ConnectConfig } from 'ssh2';
import { createBlobFolder } from '../../src/builders/blob-folder.ts';
import type { Actor } from '../../src/core/access/actor.ts';
import { GitProgram } from '../../src/git/git-program.ts';
import { GitServer } from '../../src/git/git-server.ts';
import { PushDesk } from '../../src/git/push-desk.ts';
import { Repositories } from '../../src/git/repositories.ts';
import type { SshDoorOptions } from '../../src/git/ssh/door.ts';
import { SshServer } from '../../src/git/ssh/ssh-server.ts';
import { sendRequest } from '../../src/git/ssh/ssh2-internals.ts';
import { systemClock, systemIds } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { testCore } from '../support/core.ts';
import { type Machine, machine, missingProgram, sshWith } from './support/programs.ts';

const missing = await missingProgram('git', 'ssh', 'ssh-keygen');
const options = { skip: missing === null ? false : `${missing} is not installed` };

interface Door {
  readonly port: number;
  readonly mine: Machine;
  readonly ada: Actor;
  readonly keyPath: string;
  readonly privateKey: Buffer;
  readonly keysFolder: string;
  /** OpenSSH with the key. */
  ssh(more: readonly string[], keyPath?: string, command?: readonly string[]): ReturnType<Machine['run']>;
  /** The SSH library's client, connected; closed when the test ends. */
  client(config?: ConnectConfig): Promise<ssh2.Client>;
  forget(): Promise<void>;
}

async function openDoor(t: TestContext, more: Partial<SshDoorOptions> = {}): Promise<Door> {
  const endings: (() => Promise<void>)[] = [];
  t.after(async () => {
    for (const end of endings) await end();
  });
  const scope = { after: (work: () => Promise<void> | void) => void endings.unshift(async () => work()) };
  const { core, person, createApp } = await testCore(scope as unknown as TestContext);
  const ada = await person('ada');
  await createApp(ada, 'hello', 'ada');
  const mine = await machine(scope);
  const { path: keyPath, publicLine } = await mine.key('ed25519');
  const key = await core.keys.add(ada, { name: 'laptop', content: publicLine });
  const git = new GitProgram({
    home: join(mine.folder, 'git/home'),
    hooksFolder: join(import.meta.dirname, '../../src/main/git-hooks'),
    maxPushBytes: 1024 * 1024,
  });
  const desk = new PushDesk(join(mine.folder, 'git.sock'), systemIds, silentLogger);
  const server = new GitServer({
    git,
    desk,
    repositories: new Repositories(join(mine.folder, 'git/repositories'), git, systemIds),
    pushes: core.pushes,
    blobs: createBlobFolder({ dataFolder: mine.folder, clock: systemClock, ids: systemIds }),
    appUrl: (handle) => `http://${handle}.test`,
    maxSourceBytes: 1024 * 1024,
    logger: silentLogger,
  });
  const keysFolder = join(mine.folder, 'ssh');
  const door = new SshServer({
    host: '127.0.0.1',
    port: 0,
    keysFolder,
    git: server,
    ids: systemIds,
    logger: silentLogger,
    actorByKey: (blob) => core.authenticator.byKey(blob),
    ...more,
  });
  await desk.listen();
  const port = await door.listen();
  scope.after(async () => {
    await Promise.all([server.close(), door.close()]);
    await desk.close();
  });
  const privateKey = await readFile(keyPath);
  return {
    port,
    mine,
    ada,
    keyPath,
    privateKey,
    keysFolder,
    ssh: (extra, path = keyPath, command = []) =>
      mine.run([...sshWith(mine.folder, path, ['-p', String(port), ...extra]), 'git@127.0.0.1', ...command]),
    async client(config = {}) {
      const client = new ssh2.Client();
      scope.after(() => void client.end());
      await new Promise<void>((resolve, reject) => {
        client.once('ready', resolve).once('error', reject);
        client.connect({ host: '127.0.0.1', port, username: 'git', privateKey, strictVendor: false, ...config });
      });
      client.on('error', () => {});
      return client;
    },
    forget: async () => void (await core.keys.remove(ada, key.id)),
  };
}

test('host keys are made once, of three kinds, and nobody else reads them', options, async (t) => {
  const door = await openDoor(t);
  for (const kind of ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'rsa-sha2-512']) {
    const result = await door.ssh(['-o', `HostKeyAlgorithms=${kind}`, '-o', 'UserKnownHostsFile=/dev/null']);
    assert.match(result.stderr, /only git works here/, kind);
  }
  const names = await readdir(door.keysFolder);
  assert.deepEqual(names.sort(), ['host-ecdsa', 'host-ed25519', 'host-rsa']);
  for (const name of names) assert.equal((await stat(join(door.keysFolder, name))).mode & 0o777, 0o600);
  const again = new SshServer({
    host: '127.0.0.1',
    port: 0,
    keysFolder: door.keysFolder,
    git: {} as never,
    ids: systemIds,
    logger: silentLogger,
    actorByKey: async () => null,
  });
  const texts = await Promise.all(names.map((name) => readFile(join(door.keysFolder, name), 'utf8')));
  await again.listen();
  await again.close();
  assert.deepEqual(await Promise.all(names.map((name) => readFile(join(door.keysFolder, name), 'utf8'))), texts);
});

test('keys of every kind open it, also with the algorithms of ten years ago; others do not', options, async (t) => {
  const door = await openDoor(t);
  assert.match((await door.ssh([])).stderr, /only git works here/);
  const old = [
    '-o',
    'KexAlgorithms=ecdh-sha2-nistp256',
    '-o',
    'Ciphers=aes128-ctr',
    '-o',
    'MACs=hmac-sha1',
    '-o',
    'UserKnownHostsFile=/dev/null',
  ];
  assert.match((await door.ssh([...old, '-o', 'HostKeyAlgorithms=ecdsa-sha2-nistp256'])).stderr, /only git works here/);
  const strange = await door.mine.key('rsa');
  const otherKey = { privateKey: await readFile((await door.mine.key('ecdsa')).path) };
  assert.match((await door.ssh([], strange.path)).stderr, /Permission denied \(publickey\)/);
  const asRoot = await door.mine.run([
    ...sshWith(door.mine.folder, door.keyPath, ['-p', String(door.port)]),
    'root@127.0.0.1',
  ]);
  assert.match(asRoot.stderr, /Permission denied \(publickey\)/);
  await assert.rejects(door.client({ privateKey: otherKey.privateKey }), /authentication methods failed/);
});

test(
  'a shell, a terminal, files, other programs and forwarding are refused, and it is said what works',
  options,
  async (t) => {
    const door = await openDoor(t);
    for (const command of [
      [],
      ['id'],
      ["git-receive-pack '../x.git'"],
      ["git-upload-archive 'hello.git'"],
      ['git-receive-pack hello.git; id'],
    ]) {
      const result = await door.ssh([], door.keyPath, command);
      assert.equal(result.code, 1, command.join(' '));
      assert.equal(result.stdout, '');
      assert.match(result.stderr, /berth: only git works here: push, fetch and clone of git@<this server>:<app>\.git/);
    }
    const client = await door.client();
    const refused = (work: (done: (error?: Error) => void) => void): Promise<string> =>
      new Promise((resolve) => work((error) => resolve(error?.message ?? 'let through')));
    assert.match(
      await refused((done) => void client.shell({ term: 'xterm' }, (error) => done(error))),
      /pseudo-terminal/,
    );
    assert.match(
      await refused((done) => void client.forwardIn('127.0.0.1', 0, (error) => done(error))),
      /Unable to bind/,
    );
    assert.match(
      await refused((done) => void client.openssh_forwardOutStreamLocal('/run/x', (error) => done(error))),
      /open failure/i,
    );
    const sftp = await refused((done) => void client.sftp((error) => done(error)));
    assert.notEqual(sftp, 'let through');
  },
);

test('another’s app is not there, and a key that was removed opens nothing more', options, async (t) => {
  const door = await openDoor(t);
  const client = await door.client();
  const first = await execute(client, "git-upload-pack 'nothing.git'");
  assert.deepEqual([first.code, first.stderr], [1, 'berth: app "nothing" not found\n']);
  await door.forget();
  const second = await execute(client, "git-upload-pack 'hello.git'");
  assert.deepEqual([second.code, second.stdout], [1, '']);
  assert.match(second.stderr, /your key is no longer known/);
});

test('a tunnel leads where the platform says and nowhere else', options, async (t) => {
  const echo = createServer((socket) => void socket.pipe(socket));
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  t.after(() => void echo.close());
  const target = { host: '127.0.0.1', port: (echo.address() as AddressInfo).port };
  const asked: string[] = [];
  const door = await openDoor(t, {
    tunnelTarget: async (actor, host, port) => {
      asked.push(`${actor.name} ${host}:${port}`);
      return host === 'db.internal' ? (port === 5432 ? target : { host: '127.0.0.1', port: 1 }) : null;
    },
  });
  const client = await door.client();
  const tunnel = (host: string, port: number): Promise<ClientChannel> =>
    new Promise((resolve, reject) =>
      client.forwardOut('127.0.0.1', 1, host, port, (error, channel) => (error ? reject(error) : resolve(channel))),
    );
  const channel = await tunnel('db.internal', 5432);
  const large = Buffer.alloc(3 * 1024 * 1024, 'x');
  channel.end(large);
  const chunks: Buffer[] = [];
  for await (const chunk of channel) chunks.push(chunk as Buffer);
  assert.ok(Buffer.concat(chunks).equals(large));
  for (const [host, port] of [
    ['127.0.0.1', target.port],
    ['localhost', 22],
    ['169.254.169.254', 80],
    ['::1', 5432],
  ] as const)
    await assert.rejects(
      tunnel(host, port),
      (error: Error & { reason?: number }) => error.reason === 1 && /add-ons of your own/.test(error.message),
    );
  await assert.rejects(tunnel('db.internal', 9), (error: Error & { reason?: number }) => error.reason === 2);
  assert.ok(asked.includes('ada db.internal:5432'));
});

test('without tunnels each one is prohibited', options, async (t) => {
  const client = await (await openDoor(t)).client();
  const failure = await new Promise<(Error & { reason?: number }) | undefined>((resolve) =>
    client.forwardOut('127.0.0.1', 1, '127.0.0.1', 22, (error) => resolve(error)),
  );
  assert.equal(failure?.reason, 1);
});

test('clients that ask for a login by key get their text as a request of the same name', options, async (t) => {
  const door = await openDoor(t, { loginToken: async (actor, kind) => `${kind} of ${actor.name}` });
  for (const [name, text] of [
    ['auth@scalingo.com', 'token of ada'],
    ['auth.v2@scalingo.com', 'bearer of ada'],
  ] as const) {
    const client = await door.client();
    const answered = new Promise<string>((resolve) => {
      const { _protocol: protocol } = client as unknown as { _protocol: Parameters<typeof sendRequest>[0] };
      protocol._handlers.CHANNEL_REQUEST = (_protocol, _recipient, type, _wantReply, data) =>
        resolve(`${type}: ${String(data)}`);
      // A session of which nothing else was asked yet: a refused terminal leaves one open.
      (client as unknown as { _chanMgr: { add(value: unknown): number } })._chanMgr.add(() =>
        sendRequest(protocol, 0, name, ''),
      );
      (protocol as unknown as { session(id: number, window: number, packet: number): void }).session(
        0,
        1 << 20,
        1 << 15,
      );
    });
    assert.equal(await answered, `${name}: ${text}`);
  }
});

test('who says nothing is shown out', options, async (t) => {
  const door = await openDoor(t, { limits: { handshakeMs: 300, authTries: 2, strangers: 3 } });
  const silent = connect(door.port, '127.0.0.1');
  silent.on('error', () => {}).resume();
  await once(silent, 'close');
});

test('who tries too often is shown out', options, async (t) => {
  const door = await openDoor(t, { limits: { handshakeMs: 60_000, authTries: 2, strangers: 3 } });
  let tries = 0;
  const client = new ssh2.Client();
  t.after(() => void client.end());
  const closed = new Promise<void>((resolve) => client.once('close', resolve));
  client.on('error', () => {});
  client.connect({
    host: '127.0.0.1',
    port: door.port,
    username: 'git',
    readyTimeout: 60_000,
    authHandler: (_left, _partial, next) => {
      tries += 1;
      next({ type: 'password', username: 'git', password: 'guess' });
    },
  });
  await closed;
  assert.ok(tries === 2 || tries === 3, `${tries} tries`);
});

async function execute(
  client: ssh2.Client,
  command: string,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const channel = await new Promise<ClientChannel>((resolve, reject) =>
    client.exec(command, (error, opened) => (error ? reject(error) : resolve(opened))),
  );
  let [stdout, stderr] = ['', ''];
  channel.on('data', (chunk: Buffer) => {
    stdout += chunk.toString('utf8');
  });
  channel.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8');
  });
  const code = await new Promise<number>((resolve) => channel.once('close', (status: number) => resolve(status)));
  return { code, stdout, stderr };
}
