import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../src/core/ports/secret.ts';
import type { RegistryWithPassword } from '../../src/core/registries/registry.ts';
import { testDatabase, withClient } from '../support/postgres.ts';
import { at, awkward, id, later, team, unique } from './nouns.ts';

const registry = (teamId: string, change: Partial<RegistryWithPassword> = {}): RegistryWithPassword => ({
  id: id(),
  teamId,
  host: `${unique('reg')}.example.org`,
  username: awkward,
  password: new Secret(`password ${awkward}`),
  createdAt: at,
  ...change,
});

const shown = ({ password: _, ...rest }: RegistryWithPassword) => rest;

test('registries: one for each team and host, sealed for exactly these; they go with their team', async (t) => {
  const { db, connection } = await testDatabase(t);
  const [ours, theirs] = [team(), team()];
  for (const one of [ours, theirs]) await db.teams.insert(one);
  const [b, a] = [registry(ours.id, { host: 'b.example.org:5000' }), registry(ours.id, { host: 'a.example.org' })];
  for (const one of [b, a]) await db.registries.set(one);
  const other = registry(theirs.id, { host: a.host, password: new Secret('other') });
  await db.registries.set(other);
  assert.deepEqual(await db.registries.list(ours.id), [shown(a), shown(b)]);
  const found = await db.registries.find(ours.id, a.host);
  assert.equal(found?.password.reveal(), a.password.reveal());
  assert.equal((await db.registries.find(theirs.id, a.host))?.password.reveal(), 'other');
  assert.equal(await db.registries.find(theirs.id, b.host), null);

  const next = registry(ours.id, { host: a.host, username: 'next', password: new Secret('next'), createdAt: later });
  await Promise.all([db.registries.set(next), db.registries.set(next)]);
  assert.deepEqual(await db.registries.list(ours.id), [{ ...shown(a), username: 'next' }, shown(b)]);
  assert.equal((await db.registries.find(ours.id, a.host))?.password.reveal(), 'next');

  await withClient(connection, async (client) => {
    const { rows } = await client.query<{ password: Buffer }>('select password from registries');
    for (const row of rows) assert.doesNotMatch(row.password.toString('latin1'), /other|next|password/);
    await client.query(
      'update registries set password = (select password from registries where id = $1) where id = $2',
      [other.id, b.id],
    );
  });
  await assert.rejects(db.registries.find(ours.id, b.host));
  await db.registries.remove(a.id);
  assert.equal(await db.registries.find(ours.id, a.host), null);
  await db.teams.remove(ours.id);
  assert.deepEqual(await db.registries.list(ours.id), []);
  assert.equal((await db.registries.list(theirs.id)).length, 1);
});
