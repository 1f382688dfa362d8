/** What an app is called and under which certificate it answers, asked of a running platform's router over the wire. */
import assert from 'node:assert/strict';
import { request } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { systemActor } from '../../src/core/access/actor.ts';
import { Authenticator } from '../../src/core/access/authenticator.ts';
import { AppOwnershipService } from '../../src/core/apps/app-ownership-service.ts';
import { DomainService } from '../../src/core/domains/domain-service.ts';
import type { CoreContext } from '../../src/core/ports/core-context.ts';
import type { RouteCertificate } from '../../src/core/ports/router.ts';
import { Secret } from '../../src/core/ports/secret.ts';
import { systemClock, systemIds } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { passwordHasher } from '../../src/lib/password.ts';
import { createSecretBox, loadOrCreateKey } from '../../src/lib/secret-box.ts';
import { openDatabase } from '../../src/store/database.ts';
import { startEmbeddedPostgres } from '../../src/store/embedded/start.ts';
import { makeCertificate } from '../router/support/certificates.ts';
import { startPlatform, type TestPlatform } from '../support/platform.ts';
import { ask } from '../support/request.ts';
import { until } from '../support/until.ts';

const HTTPS_OFFSET = 43;

/** What a second server over the same database and key would be made of. */
async function contextOf(platform: TestPlatform): Promise<CoreContext & { close(): Promise<void> }> {
  // Finds the server that runs already; it is never stopped from here.
  const { connection } = await startEmbeddedPostgres({ dataFolder: platform.dataFolder, logger: silentLogger });
  const key = await loadOrCreateKey(join(platform.dataFolder, 'secret.key'));
  const box = createSecretBox(key, (text) => new Secret(text));
  const db = await openDatabase({ connection, box, logger: silentLogger, poolSize: 2, migrate: false });
  return { db, clock: systemClock, ids: systemIds, box, close: () => db.close() };
}

interface Seen {
  readonly status: number;
  readonly fingerprint: string;
}

/** One request by TLS; null when there is no handshake. */
function askSecurely(platform: TestPlatform, host: string): Promise<Seen | null> {
  return new Promise((resolve) => {
    const call = request({
      host: '127.0.0.1',
      port: platform.port + HTTPS_OFFSET,
      servername: host,
      headers: { host },
      rejectUnauthorized: false,
      agent: false,
      timeout: 10_000,
    });
    call.once('response', (response) => {
      const { fingerprint256 } = (response.socket as TLSSocket).getPeerCertificate();
      response.resume();
      response.once('close', () => resolve({ status: response.statusCode ?? 0, fingerprint: fingerprint256 }));
    });
    call.once('timeout', () => call.destroy());
    call.once('error', () => resolve(null));
    call.end();
  });
}

const inputOf = (pair: RouteCertificate) => ({
  certificatePem: pair.certificatePem,
  privateKeyPem: new Secret(pair.privateKeyPem),
});

test('a running app gets a certificate, another one, a wildcard’s, none, and another name', async (t) => {
  const hosts = ['shop.example.test', '*.example.test'];
  const [first, second] = [await makeCertificate(t, hosts), await makeCertificate(t, hosts)];
  if (first === null || second === null) return;
  const platform = await startPlatform(t, { sample: true });
  const context = await contextOf(platform);
  t.after(() => context.close());
  const domains = new DomainService(context, 'berth.localhost');
  await domains.add(systemActor, 'hello', { hostname: 'shop.example.test' });
  assert.equal(await askSecurely(platform, 'shop.example.test'), null);

  const serves = async (host: string, expected: string | undefined): Promise<void> => {
    await until(`${host} has its certificate`, async () => {
      const seen = await askSecurely(platform, host);
      return seen?.fingerprint === expected && (seen === null || seen.status === 200);
    });
  };
  const set = await domains.setCertificate(systemActor, 'hello', 'shop.example.test', inputOf(first));
  await serves('shop.example.test', set.certificate?.fingerprint);
  assert.equal(await askSecurely(platform, 'other.example.test'), null);
  const wild = await domains.add(systemActor, 'hello', { hostname: '*.example.test' }, inputOf(second));
  await serves('other.example.test', wild.certificate?.fingerprint);
  await serves('shop.example.test', set.certificate?.fingerprint);
  const renewed = await domains.setCertificate(systemActor, 'hello', 'shop.example.test', inputOf(second));
  assert.notEqual(renewed.certificate?.fingerprint, set.certificate?.fingerprint);
  await serves('shop.example.test', renewed.certificate?.fingerprint);
  await domains.remove(systemActor, 'hello', '*.example.test');
  await domains.removeCertificate(systemActor, 'hello', 'shop.example.test');
  await serves('shop.example.test', undefined);
  for (const pair of [first, second]) {
    const line = pair.privateKeyPem.split('\n')[1] ?? '';
    assert.ok(line.length > 40 && !platform.output().includes(line));
  }

  const authenticator = new Authenticator(context, passwordHasher);
  const ownership = new AppOwnershipService(context, authenticator);
  assert.equal((await ask(platform, 'hello')).status, 200);
  await ownership.rename(systemActor, 'hello', 'welcome');
  await until('the app answers by its new name', async () => (await ask(platform, 'welcome')).status === 200);
  await until('the old name leads nowhere', async () => (await ask(platform, 'hello')).status === 404);
});
