/**
 * `db-tunnel`: through the SSH port to the databases of one's own apps, with OpenSSH's client and with one that shows the refusals. On a
 * whole platform, over this API.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, suite, type TestContext, test } from 'node:test';
import pg from 'pg';
import ssh2, { type ClientChannel } from 'ssh2';
import { systemActor } from '../../../src/core/access/actor.ts';
import type { Addon } from '../../../src/core/addons/addon.ts';
import { configName } from '../../../src/core/names.ts';
import { Secret } from '../../../src/core/ports/secret.ts';
import { systemClock, systemIds } from '../../../src/lib/clock.ts';
import { start } from '../../../src/lib/exec.ts';
import { type Machine, machine, missingProgram, sshWith, systemPath } from '../../git/support/programs.ts';
import { platformCore } from '../../support/platform-core.ts';
import { claimPort } from '../../support/ports.ts';
import { until } from '../../support/until.ts';
import { livePlatform } from './live.ts';

interface Person {
  readonly email: string;
  readonly send: ReturnType<ReturnType<typeof livePlatform>['as']>;
  readonly keyPath: string;
  readonly ssh: ssh2.Client;
}

const PASSWORD = 'a long enough password';
const missing = await missingProgram('ssh', 'ssh-keygen');

suite('db-tunnel', { skip: missing === null ? false : `${missing} is not installed` }, () => {
  const live = livePlatform();
  const endings: (() => unknown)[] = [];
  let laptop: Machine;
  let owner: Person;
  let stranger: Person;
  let database: URL;
  const ending = { after: (work: () => Promise<void>) => void endings.push(work) };

  /** Somebody new with a key of their own; `kind` is another for each. */
  async function person(name: string, kind: 'ed25519' | 'ecdsa' | 'rsa'): Promise<Person> {
    const email = `${name}@berth.test`;
    const made = await live.send('POST', '/users', { user: { email, password: PASSWORD } });
    assert.equal(made.status, 201, made.text);
    const signedIn = await live.as('')('POST', '/users/sign_in', { user: { login: email, password: PASSWORD } });
    const send = live.as(signedIn.json<{ authentication_token: string }>().authentication_token);
    const { path, publicLine } = await laptop.key(kind);
    const key = await send('POST', '/account/keys', { key: { name: 'laptop', content: publicLine } });
    assert.equal(key.status, 201, key.text);
    return { email, send, keyPath: path, ssh: await connect(path) };
  }

  async function connect(keyPath: string): Promise<ssh2.Client> {
    const client = new ssh2.Client();
    endings.push(() => client.end());
    const privateKey = await readFile(keyPath);
    await new Promise<void>((resolve, reject) => {
      client.once('ready', resolve).once('error', reject);
      client.connect({ host: '127.0.0.1', port: live.platform().port + 22, username: 'git', privateKey });
    });
    client.on('error', () => {});
    return client;
  }

  /** An app with a database; gives where it is, as the app's variables have it. */
  async function databaseOf({ send }: Person, app: string): Promise<URL> {
    assert.equal((await send('POST', '/apps', { app: { name: app } })).status, 201);
    const body = { addon: { addon_provider_id: 'postgresql', plan_id: 'free' } };
    const added = await send('POST', `/apps/${app}/addons`, body);
    assert.equal(added.status, 201, added.text);
    const url = await until('the app has its variables', async () => {
      const answer = await send('GET', `/apps/${app}/variables?aliases=false`);
      const { variables } = answer.json<{ variables: readonly { name: string; value: string }[] }>();
      return variables.find(({ name }) => name === 'SCALINGO_POSTGRESQL_URL')?.value;
    });
    return new URL(url);
  }

  before(async () => {
    if (missing !== null) return;
    laptop = await machine(ending);
    owner = await person('owner', 'ed25519');
    stranger = await person('stranger', 'ecdsa');
    database = await databaseOf(owner, 'tunnel-app');
  });
  after(async () => {
    for (const end of endings.toReversed()) await end();
  });

  const at = (url: URL): readonly [string, number] => [url.hostname, Number(url.port)];
  const prohibited = async (who: Person, host: string, port: number, words = 'refused'): Promise<void> =>
    assert.rejects(
      tunnel(who.ssh, host, port),
      (error: Error & { reason?: number }) => error.reason === 1 && /add-ons of your own apps/.test(error.message),
      `${host}:${port} ${words}`,
    );

  test('OpenSSH’s client reaches the database that the app’s variables name', async () => {
    const port = await claimPort();
    const [host, remote] = at(database);
    const child = start(
      [
        ...sshWith(laptop.folder, owner.keyPath, ['-N', '-o', 'ExitOnForwardFailure=yes']),
        ...['-p', String(live.platform().port + 22), '-L', `127.0.0.1:${port}:${host}:${remote}`, 'git@127.0.0.1'],
      ],
      { environment: { PATH: systemPath, HOME: laptop.folder }, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    endings.push(async () => {
      child.kill();
      await ended;
    });
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const rows = await until('a query goes through', () =>
      query(database, port, 'select current_user as who').catch((error: unknown) => {
        if (child.exitCode !== null) throw new Error(`ssh ended: ${said}`, { cause: error });
        return null;
      }),
    );
    assert.deepEqual(rows, [{ who: database.username }]);
  });

  test('nothing else is reached: not the platform, its neighbours, other names, or what an app says itself', async () => {
    const { port } = live.platform();
    const [host, remote] = at(database);
    const own = { name: 'OWN_URL', value: `postgres://u:p@127.0.0.1:${port}/x` };
    assert.equal((await owner.send('POST', '/apps/tunnel-app/variables', { variable: own })).status, 201);
    for (const offset of [0, 1, 2, 3, 4, 22, 43, 80]) await prohibited(owner, '127.0.0.1', port + offset);
    for (const [to, toPort] of [
      [host, port],
      [host, remote + 1],
      ['localhost', remote],
      ['::1', remote],
      ['0.0.0.0', remote],
      ['127.0.0.1.', remote],
      ['169.254.169.254', 80],
      ['metadata.google.internal', 80],
      ['example.com', 443],
      ['', remote],
      [host, 0],
    ] as const)
      await prohibited(owner, to, toPort);
    await prohibited(stranger, host, remote, 'for who has no add-on');
  });

  test('a provider outside may name what it likes: this machine and its network are no target', async (t) => {
    const { core, db } = await platformCore(t, live.platform());
    const app = await db.apps.find('tunnel-app');
    assert.ok(app);
    const { port } = live.platform();
    const urls = [
      `http://127.0.0.1:${port}/`,
      'http://169.254.169.254:80/',
      'http://10.0.0.1:5432/',
      'http://[::1]:80/',
    ];
    const service = await core.services.register(systemActor, {
      name: 'hostile',
      plans: [{ name: 'free' }],
      manifest: {
        baseUrl: 'https://provider.example.com/resources',
        ssoUrl: null,
        username: 'hostile',
        password: new Secret('a manifest password'),
        ssoSalt: new Secret('salt'),
        configNames: [],
      },
    });
    const now = systemClock.now();
    const addon: Addon = {
      id: systemIds.id(),
      name: 'hostile-1',
      serviceId: service.id,
      planId: service.plans[0]?.id ?? '',
      wantedPlanId: null,
      teamId: app.teamId,
      appId: app.id,
      state: 'running',
      stateDescription: '',
      resourceId: 'hostile-1',
      overLimit: false,
      description: '',
      tags: [],
      parameters: {},
      createdBy: 'owner',
      changedBy: 'owner',
      createdAt: now,
      updatedAt: now,
      provisionedAt: now,
    };
    await db.addons.insert(addon, new Secret('secret'));
    const bindingId = systemIds.id();
    const binding = { addonId: addon.id, appId: app.id, appHandle: app.handle, name: addon.name, prefix: '' };
    const state = { state: 'bound' as const, stateDescription: '', createdAt: now, updatedAt: now };
    await db.bindings.insert({ id: bindingId, ...binding, ...state });
    await db.config.set(
      urls.map((url, index) => ({
        source: 'addon' as const,
        ownerId: bindingId,
        name: configName(`HOSTILE_${index}`),
        value: new Secret(url),
        description: '',
        required: false,
        updatedAt: now,
      })),
    );
    for (const url of urls) {
      const { hostname, port: named } = new URL(url);
      await prohibited(owner, hostname.replace(/^\[|\]$/g, ''), Number(named || 80), 'though a provider names it');
    }
    await db.bindings.remove(bindingId);
    await db.addons.remove(addon.id);
  });

  test('a collaborator reaches it while they are one', async (t) => {
    const { core } = await platformCore(t, live.platform());
    const actor = await core.authenticator.byToken(live.platform().token);
    const { token, collaborator } = await core.collaborators.invite(actor, 'tunnel-app', stranger.email);
    await prohibited(stranger, ...at(database), 'before the invitation was accepted');
    const accepted = await stranger.send('GET', `/apps/collaboration?token=${token.reveal()}`);
    assert.equal(accepted.status, 200, accepted.text);
    assert.deepEqual(await queryThrough(t, stranger, database, 'select 1 as one'), [{ one: 1 }]);
    await core.collaborators.remove(actor, 'tunnel-app', collaborator.id);
    await until('they are one no longer', () =>
      tunnel(stranger.ssh, ...at(database)).then(
        (channel) => void channel.end(),
        () => true,
      ),
    );
    await prohibited(stranger, ...at(database), 'after they were removed');
  });

  test('who has a database on the same server reaches the server, and no database but their own', async (t) => {
    const theirs = await databaseOf(stranger, 'stranger-app');
    assert.equal(theirs.host, database.host, 'databases share a server');
    const who = await queryThrough(t, stranger, theirs, 'select current_database() as name');
    assert.deepEqual(who, [{ name: theirs.pathname.slice(1) }]);
    const guess = new URL(database);
    guess.password = theirs.password;
    await assert.rejects(queryThrough(t, stranger, guess, 'select 1'), /password authentication failed/);
    const into = new URL(theirs);
    into.pathname = database.pathname;
    await assert.rejects(
      queryThrough(t, stranger, into, 'select 1'),
      /no pg_hba.conf entry|permission denied for database/,
    );
    assert.equal((await stranger.send('DELETE', '/apps/stranger-app?current_name=stranger-app')).status, 204);
    await until('the deleted app’s database is no target', () =>
      tunnel(stranger.ssh, ...at(database)).then(
        (channel) => void channel.end(),
        () => true,
      ),
    );
  });

  test('without the add-on there is no way any more', async () => {
    const { addons } = (await owner.send('GET', '/apps/tunnel-app/addons')).json<{
      addons: readonly { id: string }[];
    }>();
    assert.equal((await owner.send('DELETE', `/apps/tunnel-app/addons/${addons[0]?.id}`)).status, 204);
    await prohibited(owner, ...at(database));
  });
});

function tunnel(client: ssh2.Client, host: string, port: number): Promise<ClientChannel> {
  return new Promise((resolve, reject) =>
    client.forwardOut('127.0.0.1', 1, host, port, (error, channel) => (error ? reject(error) : resolve(channel))),
  );
}

/** As the command line client does: listens here, and opens a tunnel for whoever connects. */
async function queryThrough(t: TestContext, who: Person, url: URL, sql: string): Promise<readonly object[]> {
  const bridge = createServer((socket) => {
    socket.on('error', () => {});
    tunnel(who.ssh, url.hostname, Number(url.port)).then(
      (channel) => {
        channel.on('error', () => {});
        socket.pipe(channel).pipe(socket);
      },
      () => socket.destroy(),
    );
  });
  await new Promise<void>((resolve) => bridge.listen(0, '127.0.0.1', resolve));
  t.after(() => void bridge.close());
  return query(url, (bridge.address() as AddressInfo).port, sql);
}

async function query(url: URL, port: number, sql: string): Promise<readonly object[]> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: url.username,
    password: url.password,
    database: url.pathname.slice(1),
    connectionTimeoutMillis: 10_000,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.query<object>(sql)).rows;
  } finally {
    await client.end().catch(() => {});
  }
}
