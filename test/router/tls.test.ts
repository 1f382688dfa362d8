import assert from 'node:assert/strict';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { makeCertificate } from './support/certificates.ts';
import { oneApp, route, startBackend, startRouter } from './support/router-harness.ts';

interface SecureAnswer {
  readonly body: string;
  readonly subject: string;
}

function getSecurely(port: number, servername: string, body?: string): Promise<SecureAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        servername,
        method: body === undefined ? 'GET' : 'POST',
        headers: { host: servername },
        rejectUnauthorized: false,
        agent: false,
      },
      (response) => {
        const socket = response.socket as import('node:tls').TLSSocket;
        const subject = String(socket.getPeerCertificate().subject.CN);
        text(response).then((received) => resolve({ body: received, subject }), reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

test('certificates by name, wildcards too, changed while running; unknown names get no handshake', async (t) => {
  const first = await makeCertificate(t, ['a.test']);
  const second = await makeCertificate(t, ['b.test', '*.a.test']);
  if (first === null || second === null) return;
  const backend = await startBackend(t, async (incoming, response) => {
    const body = await text(incoming);
    response.end(`${incoming.headers['x-forwarded-proto']} ${incoming.headers['x-forwarded-port']} ${body.length}`);
  });
  const { running, router } = await startRouter(t, { httpsPort: 0, workers: 1 });
  const port = running.httpsPort ?? 0;
  const base = oneApp(1, backend.port);
  const table = { ...base, routes: [...base.routes, route('b.test', 'a'), route('*.a.test', 'a')] };
  await router.apply(table);
  await assert.rejects(getSecurely(port, 'a.test'));

  await router.apply({ ...table, version: 2, certificates: [first] });
  assert.deepEqual(await getSecurely(port, 'a.test'), { body: `https ${port} 0`, subject: 'a.test' });
  await assert.rejects(getSecurely(port, 'b.test'));

  await router.apply({ ...table, version: 3, certificates: [first, second] });
  assert.equal((await getSecurely(port, 'b.test')).subject, 'b.test');
  assert.equal((await getSecurely(port, 'X.a.test')).subject, 'b.test');
  assert.equal((await getSecurely(port, 'a.test', 'x'.repeat(200_000))).body, `https ${port} 200000`);

  const broken = { ...first, privateKeyPem: second.privateKeyPem };
  await router.apply({ ...table, version: 4, certificates: [broken, second] });
  await assert.rejects(getSecurely(port, 'a.test'));
  assert.equal((await getSecurely(port, 'b.test')).subject, 'b.test');
});

test('only HTTP/1.1 is agreed on, and old TLS is refused', async (t) => {
  const certificate = await makeCertificate(t, ['a.test']);
  if (certificate === null) return;
  const { running, router } = await startRouter(t, { httpsPort: 0 });
  await router.apply({ ...oneApp(1), certificates: [certificate] });
  const options = { host: '127.0.0.1', port: running.httpsPort ?? 0, servername: 'a.test', rejectUnauthorized: false };
  const protocol = await new Promise((resolve, reject) => {
    const socket = connect({ ...options, ALPNProtocols: ['h2', 'http/1.1'] }, () => {
      resolve(socket.alpnProtocol);
      socket.destroy();
    });
    socket.on('error', reject);
  });
  assert.equal(protocol, 'http/1.1');
  await assert.rejects(
    new Promise((resolve, reject) => {
      const socket = connect({ ...options, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' }, () => resolve(null));
      socket.on('error', reject);
    }),
  );
});
