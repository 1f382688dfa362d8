/** Collaborators and SSH keys. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { publicKey } from '../../support/public-key.ts';
import { servedForSuite } from './served.ts';

interface Collaborator {
  readonly id: string;
  readonly email: string;
  readonly username: string;
  readonly status: string;
  readonly invitation_link?: string;
}

const errorsOf = (answer: { json<T>(): T }): Record<string, string[]> =>
  answer.json<{ errors: Record<string, string[]> }>().errors;

suite('collaborators', () => {
  const { person } = servedForSuite();

  async function withApp(name: string) {
    const owner = await person();
    assert.equal((await owner.send('POST', '/apps', { app: { name } })).status, 201);
    const path = `/apps/${name}/collaborators`;
    const read = async (): Promise<readonly Collaborator[]> =>
      (await owner.send('GET', path)).json<{ collaborators: readonly Collaborator[] }>().collaborators;
    return { ...owner, name, path, read };
  }

  test('somebody is invited, accepts by the link, works on the app, and is removed', async () => {
    const { send, path, read, name } = await withApp('shared-app');
    assert.deepEqual(await read(), [], 'the owner is not one of them');
    const guest = await person();
    const invited = await send('POST', path, { collaborator: { email: guest.email } });
    assert.equal(invited.status, 201, invited.text);
    const { collaborator, collaborators } = invited.json<{
      collaborator: Collaborator;
      collaborators: Collaborator[];
    }>();
    assert.deepEqual(collaborators, [collaborator]);
    assert.match(collaborator.id, /^[0-9a-f]{24}$/);
    assert.deepEqual([collaborator.email, collaborator.username, collaborator.status], [guest.email, 'n/a', 'pending']);
    assert.equal((await guest.send('GET', `/apps/${name}`)).status, 404);
    const link = new URL(collaborator.invitation_link ?? '');
    assert.equal(link.pathname, '/v1/apps/collaboration');
    const wrong = await guest.send('GET', '/apps/collaboration?token=wrong');
    assert.deepEqual([wrong.status, wrong.json().resource], [404, 'invitation']);
    assert.equal((await guest.send('GET', '/apps/collaboration')).status, 404);
    const accepted = await guest.send('GET', `/apps/collaboration${link.search}`);
    assert.deepEqual([accepted.status, accepted.json().name], [200, name], 'the app, without a root');
    const shown = await read();
    assert.deepEqual(
      shown.map(({ email, username, status }) => [email, username, status]),
      [[guest.email, guest.username, 'accepted']],
    );
    assert.equal('invitation_link' in (shown[0] ?? {}), false, 'the link is given once');
    assert.equal(
      (await guest.send('POST', `/apps/${name}/variables`, { variable: { name: 'A', value: 'b' } })).status,
      201,
    );
    const apps = (await guest.send('GET', '/apps')).json<{ apps: { name: string }[] }>().apps;
    assert.deepEqual(
      apps.map((app) => app.name),
      [name],
    );
    const owners: readonly (readonly [string, string, unknown])[] = [
      ['POST', path, { collaborator: { email: 'third@example.com' } }],
      ['DELETE', `${path}/${collaborator.id}`, undefined],
      ['POST', `/apps/${name}/rename`, { current_name: name, new_name: 'other-name' }],
      ['PATCH', `/apps/${name}`, { app: { owner: guest.email } }],
      ['DELETE', `/apps/${name}?current_name=${name}`, undefined],
    ];
    for (const [method, at, body] of owners) {
      const refused = await guest.send(method, at, body);
      assert.deepEqual([refused.status, Object.keys(refused.json())], [403, ['error', 'code']], `${method} ${at}`);
    }
    assert.equal((await send('DELETE', `${path}/${collaborator.id}`)).status, 204);
    assert.deepEqual(await read(), []);
    assert.equal((await guest.send('GET', `/apps/${name}`)).status, 404);
    assert.equal((await guest.send('GET', `/apps/collaboration${link.search}`)).status, 404, 'it worked once');
  });

  test('who cannot be invited, and an invitation that is withdrawn', async () => {
    const { send, path, email } = await withApp('invitations');
    for (const body of [{}, { collaborator: {} }, { collaborator: { email: '' } }])
      assert.equal((await send('POST', path, body)).status, 422);
    for (const address of ['no address', email])
      assert.deepEqual(Object.keys(errorsOf(await send('POST', path, { collaborator: { email: address } }))), [
        'email',
      ]);
    const invited = await send('POST', path, { collaborator: { email: 'Unknown@Example.com' } });
    const { collaborator } = invited.json<{ collaborator: Collaborator }>();
    assert.equal(collaborator.email, 'unknown@example.com', 'people without an account can be invited');
    const twice = await send('POST', path, { collaborator: { email: 'unknown@example.com' } });
    assert.deepEqual([twice.status, errorsOf(twice)], [422, { email: ['has already been invited'] }]);
    assert.equal((await send('DELETE', `${path}/${collaborator.id}`)).status, 204);
    const late = await person();
    const { search } = new URL(collaborator.invitation_link ?? '');
    assert.equal((await late.send('GET', `/apps/collaboration${search}`)).status, 404);
  });
});

suite('SSH keys', () => {
  const { person } = servedForSuite();

  test('keys are added with and without a root, under both paths, listed, shown and removed', async () => {
    const { send } = await person();
    const content = publicKey();
    const made = await send('POST', '/account/keys', { key: { name: 'laptop', content } });
    assert.equal(made.status, 201, made.text);
    const { key } = made.json<{ key: { id: string; name: string; content: string } }>();
    assert.deepEqual([key.name, key.content], ['laptop', content]);
    assert.match(key.id, /^[0-9a-f]{24}$/);
    assert.equal((await send('POST', '/keys', { name: 'desk', content: publicKey() })).status, 201);
    for (const path of ['/account/keys', '/keys', '/account/keys/']) {
      const { keys } = (await send('GET', path)).json<{ keys: { name: string }[] }>();
      assert.deepEqual(
        keys.map(({ name }) => name),
        ['desk', 'laptop'],
      );
    }
    assert.deepEqual((await send('GET', `/keys/${key.id}`)).json(), { key });
    assert.equal((await send('DELETE', `/account/keys/${key.id}`)).status, 204);
    assert.equal((await send('GET', `/keys/${key.id}`)).status, 404);
  });

  test('what is no key, and a key that somebody has', async () => {
    const { send } = await person();
    const content = publicKey();
    assert.equal((await (await person()).send('POST', '/keys', { key: { name: 'mine', content } })).status, 201);
    const taken = await send('POST', '/keys', { key: { name: 'mine too', content } });
    assert.deepEqual([taken.status, Object.keys(errorsOf(taken))], [422, ['content']]);
    for (const [key, field] of [
      [{ name: 'x', content: 'no key' }, 'content'],
      [{ name: '', content: publicKey() }, 'name'],
      [{ name: 'x' }, 'content'],
    ] as const) {
      const answer = await send('POST', '/account/keys', { key });
      assert.deepEqual([answer.status, Object.keys(errorsOf(answer))], [422, [field]], answer.text);
    }
  });

  test('another person’s keys are not there', async () => {
    const { send } = await person();
    const made = await send('POST', '/keys', { key: { name: 'own', content: publicKey() } });
    const { id } = made.json<{ key: { id: string } }>().key;
    const stranger = await person();
    for (const method of ['GET', 'DELETE'])
      assert.equal((await stranger.send(method, `/account/keys/${id}`)).status, 404, method);
    assert.deepEqual((await stranger.send('GET', '/keys')).json(), { keys: [] });
  });
});
