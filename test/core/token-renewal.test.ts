/** Tokens that get another text, and tokens that are named by a proof other than their text. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testCore } from '../support/core.ts';
import { refusedAs } from '../support/sign-in.ts';

const HOUR_MS = 60 * 60_000;

test('a renewed token keeps its id and loses its old text; its lifetime begins anew, however often', async (t) => {
  const { core, db, person } = await testCore(t);
  const ann = await person('ann');
  const made = await core.tokens.createPersonal(ann, { name: 'laptop', lifetimeMs: HOUR_MS });
  let text = made.text.reveal();
  for (let round = 0; round < 3; round += 1) {
    const renewed = await core.tokens.renew(ann, made.token.id);
    assert.deepEqual([renewed.token.id, renewed.token.name], [made.token.id, 'laptop']);
    await assert.rejects(() => core.authenticator.byToken(text), refusedAs('unauthenticated'));
    text = renewed.text.reveal();
    assert.equal((await core.authenticator.byToken(text)).name, 'ann');
    const { createdAt, expiresAt, hint } = (await db.tokens.find(made.token.id)) ?? made.token;
    assert.equal((expiresAt?.getTime() ?? 0) - createdAt.getTime(), HOUR_MS);
    assert.equal(hint, text.slice(-4));
  }
  const bob = await person('bob');
  await assert.rejects(() => core.tokens.renew(bob, made.token.id), refusedAs('not-found'));
});

test('a token that is named by its id stands for its user until it ends', async (t) => {
  const { core, db, person } = await testCore(t);
  const ann = await person('ann');
  const { token } = await core.tokens.createPersonal(ann, { name: 'laptop', lifetimeMs: null });
  const actor = await core.authenticator.byTokenId(token.id);
  assert.deepEqual([actor.name, actor.tokenId, actor.teamIds], ['ann', token.id, ann.teamIds]);
  assert.notEqual((await db.tokens.find(token.id))?.lastUsedAt, null);
  await core.tokens.revoke(ann, token.id);
  await assert.rejects(() => core.authenticator.byTokenId(token.id), refusedAs('unauthenticated'));
  const short = await core.authenticator.issue({
    kind: 'personal',
    name: 'gone',
    userId: ann.userId,
    teamId: null,
    lifetimeMs: -1,
  });
  await assert.rejects(() => core.authenticator.byTokenId(short.token.id), refusedAs('unauthenticated'));
  await assert.rejects(() => core.authenticator.byTokenId('no id'), refusedAs('unauthenticated'));
});
