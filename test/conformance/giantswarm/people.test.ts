/** Users, tokens, organizations and members, as in the documents' acceptance walk. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { systemActor } from '../../../src/core/access/actor.ts';
import { Secret } from '../../../src/core/ports/secret.ts';
import { PASSWORD } from '../../support/served.ts';
import { type ServedSwarm, serveGiantSwarm } from './served.ts';
import { base64, type Reply, type Swarm, swarmAt, unique } from './swarm.ts';

suite('people', () => {
  const endings: (() => unknown)[] = [];
  let served: ServedSwarm;
  before(async () => {
    served = await serveGiantSwarm({ after: (work) => void endings.push(work as () => unknown) });
  });
  after(async () => {
    for (const end of endings) await end();
  });

  const as = (token: string | null): Swarm => swarmAt(`${served.url}/v1`, token);
  const anybody = (): Swarm => as(null);
  const code = ({ status, json }: Reply) => [status, json.status_code];

  async function person(password = 'f00bar'): Promise<{ name: string; email: string; password: string }> {
    const name = unique('user');
    const email = `${name}@example.com`;
    await served.core.users.create(systemActor, { username: name, email, password: new Secret(password) });
    return { name, email, password };
  }

  async function login(name: string, password: string): Promise<string> {
    const reply = await anybody()('POST', `/user/${name}/login`, { password: base64(password) });
    assert.deepEqual(code(reply), [200, 10000], reply.text);
    return (reply.json.data as { Id: string }).Id;
  }

  test('ping needs no token; everything else does', async () => {
    const ping = await anybody()('GET', '/ping');
    assert.deepEqual([ping.status, ping.text], [200, '"OK"']);
    assert.match(ping.type, /^application\/json/);
    for (const path of ['/user/me', '/user/me/memberships', '/org/main', '/org/main/env/', '/org/main/env/dev/app/'])
      assert.equal((await anybody()('GET', path)).status, 401, path);
    assert.equal((await as('nonsense')('GET', '/user/me')).status, 401);
    const bearer = await anybody()('GET', '/user/me', undefined, { authorization: `Bearer ${served.tokens.admin}` });
    assert.equal(bearer.status, 401, 'only the word giantswarm signs in');
  });

  test('passwords come as base64 without a newline; e-mail addresses sign in too', async () => {
    const wrong = await anybody()('POST', '/user/admin/login', { password: base64('wrong password') });
    assert.deepEqual([...code(wrong), wrong.json.status_text], [400, 10010, 'resource invalid credentials']);
    const newline = await anybody()('POST', '/user/admin/login', { password: base64(`${PASSWORD}\n`) });
    assert.deepEqual(code(newline), [400, 10010]);
    const unknown = await anybody()('POST', '/user/nobody/login', { password: base64(PASSWORD) });
    assert.deepEqual(code(unknown), [400, 10010]);
    const form = await anybody()('POST', '/user/admin/login', JSON.stringify({ password: base64(PASSWORD) }), {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: 'giantswarm null',
    });
    assert.deepEqual(code(form), [200, 10000], 'the body is JSON whatever its label, and an old token does not matter');
    const token = await login('admin@apps.test', PASSWORD);
    assert.match(token, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.deepEqual((await as(token)('GET', '/user/me')).json.data, {
      username: 'admin',
      email: 'admin@apps.test',
    });
  });

  test('logging out ends one token, a new password all of them', async () => {
    const { name, password } = await person();
    const [one, other] = [await login(name, password), await login(name, password)];
    const logout = await as(one)('POST', '/token/logout');
    assert.deepEqual([...code(logout), logout.json.status_text], [200, 10007, 'resource deleted']);
    assert.equal((await as(one)('GET', '/user/me')).status, 401);
    const mine = as(other);
    assert.equal((await mine('GET', '/user/me')).status, 200);
    const refused = await mine('POST', '/user/me/password/update', {
      old_password: base64('not it'),
      new_password: base64('bazf00'),
    });
    assert.deepEqual(code(refused), [400, 10010]);
    const changed = await mine('POST', '/user/me/password/update', {
      old_password: base64(password),
      new_password: base64('bazf00ü'),
    });
    assert.deepEqual(code(changed), [200, 10006]);
    assert.equal((await mine('GET', '/user/me')).status, 401);
    await login(name, 'bazf00ü');
  });

  test('the e-mail address changes when the old one is right', async () => {
    const { name, email, password } = await person();
    const mine = as(await login(name, password));
    const wrong = await mine('POST', '/user/me/email/update', {
      old_email: 'x@example.com',
      new_email: 'y@example.com',
    });
    assert.deepEqual(code(wrong), [400, 10010]);
    const next = `new-${email}`;
    assert.deepEqual(
      code(await mine('POST', '/user/me/email/update/', { old_email: email, new_email: next })),
      [200, 10006],
    );
    assert.deepEqual((await mine('GET', '/user/me')).json.data, { username: name, email: next });
  });

  test('organizations: made, joined, left, deleted', async () => {
    const [ann, bob] = [await person(), await person()];
    const mine = as(await login(ann.name, ann.password));
    const his = as(await login(bob.name, bob.password));
    assert.deepEqual((await mine('GET', '/user/me/memberships')).json.data, [ann.name]);

    const org = unique('acme');
    assert.deepEqual(code(await mine('POST', '/org/', { org_id: org })), [200, 10003]);
    assert.deepEqual(code(await mine('POST', '/org/', { org_id: org })), [400, 10015]);
    assert.deepEqual(code(await mine('POST', '/org/', { org_id: 'No-Good' })), [400, 10013]);
    const shown = (await mine('GET', `/org/${org}`)).json.data as Record<string, unknown>;
    assert.deepEqual([shown.id, shown.members], [org, [ann.name]]);
    assert.equal(typeof shown.default_cluster, 'string');
    assert.equal((await mine('GET', '/org/nobodys')).status, 404);
    assert.equal((await his('GET', `/org/${org}`)).status, 404, 'a stranger learns nothing');
    assert.equal((await his('POST', `/org/${org}/members/add`, { username: bob.name })).status, 403);

    const add = (username: string) => mine('POST', `/org/${org}/members/add`, { username });
    assert.deepEqual(code(await add(bob.name)), [200, 10006]);
    assert.deepEqual(code(await add(bob.name)), [400, 10013]);
    assert.deepEqual(code(await add('nobody-at-all')), [400, 10013]);
    assert.equal((await mine('POST', '/org/nobodys/members/add', { username: bob.name })).status, 403);
    assert.deepEqual((await his('GET', '/user/me/memberships')).json.data, [bob.name, org]);
    assert.deepEqual((await his('GET', `/org/${org}/env/dev/app/`)).json.data, []);
    assert.deepEqual(code(await his('GET', `/org/${org}/env/prod/app/`)), [400, 10008]);
    assert.deepEqual(code(await his('GET', '/org/nobodys/env/dev/app/')), [400, 10008]);

    const remove = () => mine('POST', `/org/${org}/members/remove`, { username: bob.name });
    assert.deepEqual(code(await remove()), [200, 10006]);
    assert.deepEqual(code(await remove()), [400, 10013]);
    assert.equal((await his('GET', `/org/${org}/env/dev/app/`)).status, 403);

    assert.equal((await mine('DELETE', `/org/${ann.name}/`)).status, 403, 'the own organization stays');
    assert.deepEqual(code(await mine('DELETE', `/org/${org}/`)), [200, 10007]);
    assert.equal((await mine('DELETE', `/org/${org}/`)).status, 403);
    assert.equal((await mine('GET', '/nothing/here')).status, 404);
  });
});
