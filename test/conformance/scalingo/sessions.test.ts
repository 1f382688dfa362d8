/** Signing in and up, tokens, the account: what each form of the clients sends and reads. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { sshLogin } from '../../../src/dialects/scalingo/ssh-login.ts';
import { basic, EMPTY_BASIC, PASSWORD, servedForSuite } from './served.ts';

interface User {
  readonly id: string;
  readonly username: string;
  readonly email: string;
  readonly authentication_token?: string;
}

suite('sessions', () => {
  const { get, as, person } = servedForSuite();

  test('signing in gives a token above the user and in it; both names of an account do', async () => {
    const { username, email } = await person();
    for (const login of [username, email, email.toUpperCase()]) {
      const answer = await as(EMPTY_BASIC)('POST', '/users/sign_in', { user: { login, password: PASSWORD } });
      assert.equal(answer.status, 201, answer.text);
      assert.equal(answer.headers.get('cache-control'), 'no-store');
      const { authentication_token: token, user } = answer.json<{ authentication_token: string; user: User }>();
      assert.equal(user.authentication_token, token);
      assert.deepEqual([user.username, user.email], [username, email]);
      assert.match(user.id, /^[0-9a-f]{24}$/);
      for (const key of ['first_name', 'last_name', 'company', 'location']) assert.ok(key in user, key);
      const self = await as(basic(token))('GET', '/users/self');
      assert.equal(self.json<{ user: User }>().user.id, user.id);
    }
  });

  test('a refusal to sign in says so in every form that clients read', async () => {
    const { username } = await person();
    for (const [login, password] of [
      [username, 'wrong password'],
      ['nobody', PASSWORD],
    ]) {
      const answer = await as(EMPTY_BASIC)('POST', '/users/sign_in', { user: { login, password } });
      assert.equal(answer.status, 401);
      const message = 'Invalid login or password';
      assert.deepEqual(answer.json(), { success: false, message, error: message });
    }
    const rootless = await as(undefined)('POST', '/users/sign_in', { login: username, password: PASSWORD });
    assert.deepEqual([rootless.status, rootless.json()], [422, { errors: { user: ['missing field'] } }]);
    const half = await as(undefined)('POST', '/users/sign_in', { user: { login: username } });
    assert.deepEqual([half.status, half.json()], [422, { errors: { password: ['missing field'] } }]);
  });

  test('who has shown a key at the SSH door gets a token that signs in, in both forms', async () => {
    const { token, username } = await person();
    const { core, parts } = get();
    const actor = await core.authenticator.byToken(token);
    const login = sshLogin(parts);
    for (const [kind, header] of [
      ['token', basic],
      ['bearer', (text: string) => `Bearer ${text}`],
    ] as const) {
      const self = await as(header(await login(actor, kind)))('GET', '/users/self');
      assert.equal(self.json<{ user: User }>().user.username, username, kind);
    }
    await assert.rejects(login({ ...actor, userId: null }, 'token'), /only a user/);
  });

  test('who one is comes with and without a root, with the token that was shown', async () => {
    const { token, username, email, send } = await person();
    const answer = await send('GET', '/users/self?api_token=true');
    assert.equal(answer.status, 200);
    const { user, ...bare } = answer.json<{ user: User } & User>();
    assert.deepEqual(bare, user);
    assert.deepEqual([user.username, user.email, user.authentication_token], [username, email, token]);
  });

  test('every form of credentials counts on every route, an empty one never', async () => {
    const { token } = await person();
    const encode = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
    for (const form of [basic(token), encode(`anything:${token}`), `Bearer ${token}`, `bearer ${token}`])
      assert.equal((await as(form)('GET', '/apps')).status, 200, form);
    for (const form of [undefined, EMPTY_BASIC, 'Bearer', 'Basic', encode(':wrong'), encode(token), `Token ${token}`]) {
      const answer = await as(form)('GET', '/apps');
      assert.equal(answer.status, 401, form);
      assert.equal(typeof answer.json().error, 'string');
    }
    for (const path of ['/regions', '/features/container_sizes', '/notification_platforms'])
      assert.equal((await as(EMPTY_BASIC)('GET', path)).status, 200, path);
  });

  test('a token is exchanged for a ticket that does all the token does, and ends with it', async () => {
    const { send } = await person();
    const made = await send('POST', '/tokens', { token: { name: 'laptop' } });
    assert.equal(made.status, 201);
    const { token } = made.json<{ token: { id: string; token: string } }>();
    const exchanged = await as(basic(token.token))('POST', '/tokens/exchange', {});
    assert.equal(exchanged.status, 200);
    const ticket = exchanged.json<{ token: string }>().token;
    const [, claims = ''] = ticket.split('.');
    const { exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { exp: number };
    assert.ok(exp > Date.now() / 1000 + 5 * 60, 'clients renew five minutes before the end');
    for (const form of [`Bearer ${ticket}`, basic(ticket)])
      assert.equal((await as(form)('GET', '/users/self')).status, 200);
    assert.equal((await as(`Bearer ${ticket}`)('POST', '/tokens/exchange')).status, 200);
    assert.equal((await send('DELETE', `/tokens/${token.id}`)).status, 204);
    assert.equal((await as(`Bearer ${ticket}`)('GET', '/users/self')).status, 401);
    assert.equal((await as(`Bearer ${ticket}x`)('GET', '/users/self')).status, 401);
  });

  test('tokens are made by a login or a token, listed without their text, renewed and ended', async () => {
    const { username, send } = await person();
    const login = `Basic ${Buffer.from(`${username}:${PASSWORD}`).toString('base64')}`;
    const rooted = await as(login)('POST', '/tokens', { token: { name: 'by login' } });
    assert.equal(rooted.status, 201, rooted.text);
    const wrong = `Basic ${Buffer.from(`${username}:wrong password`).toString('base64')}`;
    assert.equal((await as(wrong)('POST', '/tokens', {})).status, 401);
    assert.equal((await as(undefined)('POST', '/tokens', {})).status, 401);
    await send('POST', '/tokens', { name: 'without a root' });
    const listed = await send('GET', '/tokens');
    const { tokens } = listed.json<{
      tokens: { id: string; name: string; created_at: string; last_used_at: string | null }[];
    }>();
    assert.deepEqual(tokens.map(({ name }) => name).toSorted(), ['Scalingo login', 'by login', 'without a root']);
    const { id, token: text } = rooted.json<{ token: { id: string; token: string } }>().token;
    assert.ok(!listed.text.includes(text), 'a text is given once');
    assert.equal((await send('GET', `/tokens/${id}`)).json<{ token: { name: string } }>().token.name, 'by login');
    const renewed = await send('PATCH', `/tokens/${id}/renew`);
    const fresh = renewed.json<{ token: { id: string; token: string } }>().token;
    assert.equal(fresh.id, id);
    assert.equal((await as(basic(text))('GET', '/apps')).status, 401);
    assert.equal((await as(basic(fresh.token))('GET', '/apps')).status, 200);
    assert.equal((await send('DELETE', `/tokens/${id}`)).status, 204);
    assert.equal((await as(basic(fresh.token))('GET', '/apps')).status, 401);
    const gone = await send('GET', `/tokens/${id}`);
    assert.deepEqual([gone.status, gone.json()], [404, { resource: 'token', error: 'not found' }]);
  });

  test('accounts are made by administrators only, until a setting lets strangers', async () => {
    const user = { email: 'newcomer@example.com', password: PASSWORD };
    const refused = await as(EMPTY_BASIC)('POST', '/users', { user });
    assert.deepEqual([refused.status, refused.json().code], [403, 'sign_up_closed']);
    assert.equal((await (await person()).send('POST', '/users', { user })).status, 403);
    const made = await as(basic(get().tokens.admin))('POST', '/users', { user });
    assert.deepEqual([made.status, made.json<{ user: User }>().user.username], [201, 'newcomer'], made.text);
    const signedIn = await as(undefined)('POST', '/users/sign_in', { user: { login: user.email, password: PASSWORD } });
    assert.equal(signedIn.status, 201);
  });

  test('the profile is read and changed; a new password needs the old one and ends sessions', async () => {
    const { username, send } = await person();
    const read = await send('GET', '/account/profile');
    assert.equal(read.json<{ user: User }>().user.username, username);
    const moved = await send('PATCH', '/account/profile', { user: { email: `moved-${username}@example.com` } });
    assert.deepEqual([moved.status, moved.json<{ user: User }>().user.email], [200, `moved-${username}@example.com`]);
    assert.equal((await send('PATCH', '/account/profile', { user: { stop_free_trial: true } })).status, 200);
    const bare = await send('PATCH', '/account/profile', { user: { password: 'another long password' } });
    assert.equal(bare.status, 422);
    const changed = await send('PATCH', '/account/profile', {
      user: { password: 'another long password', current_password: PASSWORD },
    });
    assert.equal(changed.status, 200, changed.text);
    assert.equal((await send('GET', '/users/self')).status, 401);
    const login = { user: { login: username, password: 'another long password' } };
    assert.equal((await as(undefined)('POST', '/users/sign_in', login)).status, 201);
  });
});

suite('sign-up that is open', () => {
  const { as } = servedForSuite({ signUp: true });

  test('strangers make themselves an account, and get a name of their own', async () => {
    const names: string[] = [];
    for (const email of ['jo.doe@one.test', 'jo.doe@two.test', '-odd name@one.test']) {
      const answer = await as(EMPTY_BASIC)('POST', '/users', { user: { email, password: PASSWORD } });
      if (email.includes(' ')) {
        assert.deepEqual([answer.status, Object.keys(answer.json<{ errors: object }>().errors)], [422, ['email']]);
        continue;
      }
      assert.equal(answer.status, 201, answer.text);
      names.push(answer.json<{ user: User }>().user.username);
    }
    assert.deepEqual(names, ['jo.doe', 'jo.doe-2']);
    const again = await as(undefined)('POST', '/users', { user: { email: 'jo.doe@one.test', password: PASSWORD } });
    assert.deepEqual([again.status, again.json()], [422, { errors: { email: ['has already been taken'] } }]);
    const short = await as(undefined)('POST', '/users', { user: { email: 'x@one.test', password: 'x' } });
    assert.deepEqual([short.status, Object.keys(short.json<{ errors: object }>().errors)], [422, ['password']]);
  });
});
