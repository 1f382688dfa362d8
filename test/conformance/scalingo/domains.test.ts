import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { makeCertificate } from '../../router/support/certificates.ts';
import { servedForSuite } from './served.ts';

interface Domain {
  readonly id: string;
  readonly name: string;
  readonly ssl: boolean;
  readonly tlscert?: string;
  readonly tlskey?: string;
  readonly validity?: string;
}

const errorsOf = (answer: { json<T>(): T }): Record<string, string[]> =>
  answer.json<{ errors: Record<string, string[]> }>().errors;
const domainOf = (answer: { json<T>(): T }): Domain => answer.json<{ domain: Domain }>().domain;
/** What clients send beside what they mean: the whole struct. */
const rest = { id: '', ssl: false, validity: '0001-01-01T00:00:00Z' };

suite('domains', () => {
  const { get, person } = servedForSuite();

  async function withApp(name: string) {
    const owner = await person();
    assert.equal((await owner.send('POST', '/apps', { app: { name } })).status, 201);
    return { ...owner, path: `/apps/${name}/domains` };
  }

  test('a domain is added, listed, shown with its app, and removed', async () => {
    const { send, path } = await withApp('domain-app');
    const added = await send('POST', path, { domain: { ...rest, name: 'WWW.Example.org' } });
    assert.equal(added.status, 201, added.text);
    const domain = domainOf(added);
    assert.match(domain.id, /^[0-9a-f]{24}$/);
    assert.deepEqual([domain.name, domain.ssl, 'validity' in domain], ['www.example.org', false, false]);
    assert.equal((await send('POST', path, { domain: { name: '*.example.org' } })).status, 201);
    const { domains } = (await send('GET', path)).json<{ domains: readonly Domain[] }>();
    assert.deepEqual(domains.map(({ name }) => name).toSorted(), ['*.example.org', 'www.example.org']);
    assert.deepEqual(domainOf(await send('GET', `${path}/${domain.id}`)), domain);
    const { app } = (await send('GET', '/apps/domain-app')).json<{ app: { domains: readonly Domain[] } }>();
    assert.equal(app.domains.length, 2);
    assert.equal((await send('DELETE', `${path}/${domain.id}`)).status, 204);
    assert.equal((await send('GET', `${path}/${domain.id}`)).status, 404);
    assert.equal((await send('DELETE', `${path}/${domain.id}`)).status, 404);
  });

  test('what cannot be added', async () => {
    const { send, path } = await withApp('full-app');
    const refused = async (domain: unknown): Promise<readonly string[]> => {
      const answer = await send('POST', path, { domain });
      assert.equal(answer.status, 422, answer.text);
      return Object.keys(errorsOf(answer));
    };
    for (const name of ['not a host', '', 'x..y', 'mine.apps.test', '-x.org'])
      assert.deepEqual(await refused({ name }), ['name'], name);
    assert.deepEqual(await refused({ name: 'a.example.net', letsencrypt_enabled: true }), ['letsencrypt_enabled']);
    for (let number = 1; number <= 5; number += 1)
      assert.equal((await send('POST', path, { domain: { name: `n${number}.example.net` } })).status, 201);
    assert.deepEqual(await refused({ name: 'n6.example.net' }), ['name']);
    const other = await withApp('other-app');
    const taken = await other.send('POST', other.path, { domain: { name: 'n1.example.net' } });
    assert.deepEqual([taken.status, errorsOf(taken)], [422, { name: ['has already been taken'] }]);
  });

  test('a certificate comes with a domain or after it, is shown without its key, and goes as each client says', async (t) => {
    const pair = await makeCertificate(t, ['tls.example.com']);
    const other = await makeCertificate(t, ['other.example.com']);
    if (pair === null || other === null) return;
    const { send, path } = await withApp('tls-app');
    const tls = { tlscert: pair.certificatePem, tlskey: pair.privateKeyPem };
    const added = await send('POST', path, { domain: { ...rest, name: 'tls.example.com', ...tls } });
    assert.equal(added.status, 201, added.text);
    const { id, ...domain } = domainOf(added);
    assert.deepEqual([domain.ssl, domain.tlscert, domain.tlskey], [true, 'CN=tls.example.com', 'ec prime256v1']);
    assert.ok(Date.parse(domain.validity ?? '') > Date.now());
    assert.ok(!added.text.includes('PRIVATE KEY') && !(await send('GET', path)).text.includes('PRIVATE KEY'));
    const served = async () => (await get().db.certificates.served()).map(({ hostname }) => hostname);
    assert.deepEqual(await served(), ['tls.example.com']);

    const patch = (fields: unknown) => send('PATCH', `${path}/${id}`, { domain: fields });
    assert.deepEqual([domainOf(await patch({ canonical: false })).ssl, await served()], [true, ['tls.example.com']]);
    const removals = [
      { ...rest, name: '' },
      { ...rest, name: '', tlscert: '', tlskey: '', canonical: false },
    ];
    for (const fields of removals) {
      const removed = await patch(fields);
      assert.deepEqual([removed.status, domainOf(removed).ssl, await served()], [200, false, []]);
      const set = await patch({ ...rest, name: '', ...tls });
      assert.deepEqual([set.status, domainOf(set).ssl, await served()], [200, true, ['tls.example.com']]);
    }
    const cases: readonly (readonly [Record<string, string>, string])[] = [
      [{ ...tls, tlskey: other.privateKeyPem }, 'tlskey'],
      [{ tlscert: other.certificatePem, tlskey: other.privateKeyPem }, 'tlscert'],
      [{ tlscert: tls.tlscert }, 'tlskey'],
      [{ tlskey: tls.tlskey }, 'tlscert'],
      [{ tlscert: 'none', tlskey: tls.tlskey }, 'tlscert'],
    ];
    for (const [fields, field] of cases) {
      const refused = await patch(fields);
      assert.deepEqual([refused.status, Object.keys(errorsOf(refused))], [422, [field]], field);
    }
    const late = await send('POST', path, { domain: { name: 'late.example.com', ...tls } });
    assert.deepEqual([late.status, Object.keys(errorsOf(late))], [422, ['tlscert']], 'it is for another host');
    assert.equal((await send('GET', path)).json<{ domains: readonly Domain[] }>().domains.length, 1);
    assert.equal((await patch({ canonical: true })).status, 422);
  });

  test('domains of another app are not there', async () => {
    const first = await withApp('one-of-two');
    const { id } = domainOf(await first.send('POST', first.path, { domain: { name: 'one.example.info' } }));
    const second = await withApp('two-of-two');
    for (const path of [`${second.path}/${id}`, `${first.path}/${id}`])
      for (const method of ['GET', 'DELETE']) assert.equal((await second.send(method, path)).status, 404, path);
    assert.equal((await first.send('GET', `${first.path}/${id}`)).status, 200);
  });
});
