import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { servedForSuite } from './served.ts';

interface Variable {
  readonly id: string;
  readonly name: string;
  readonly value: string;
}

const errorsOf = (answer: { json<T>(): T }): Record<string, string[]> =>
  answer.json<{ errors: Record<string, string[]> }>().errors;

suite('variables', () => {
  const { get, person } = servedForSuite();

  async function withApp(name: string) {
    const owner = await person();
    assert.equal((await owner.send('POST', '/apps', { app: { name } })).status, 201);
    const path = `/apps/${name}/variables`;
    const read = async (query = ''): Promise<readonly Variable[]> =>
      (await owner.send('GET', path + query)).json<{ variables: readonly Variable[] }>().variables;
    return { ...owner, app: `/apps/${name}`, path, read };
  }

  test('any text in UTF-8 comes back as it was sent, from the list and to the app', async () => {
    const { send, path, read } = await withApp('utf8-app');
    const values = [
      'plain',
      ' both ends ',
      'tab\tand\r\nnew\nlines\n',
      `quotes " ' \` $(id) \${HOME} \\ ; & |`,
      'é ü 日本語 🚀 \u200d \ufeff',
      '\u0001\u001b[31m',
      'x'.repeat(8192),
    ];
    const variables = values.map((value, at) => ({ id: '', name: `V_${at}`, value }));
    const set = await send('PUT', path, { variables });
    assert.equal(set.status, 200, set.text);
    const given = set.json<{ variables: readonly Variable[] }>().variables;
    assert.deepEqual(
      given.map(({ name, value }) => ({ id: '', name, value })),
      variables,
    );
    for (const list of [await read(), await read('?aliases=true'), await read('?aliases=false')])
      assert.deepEqual(
        list.map(({ value }) => value),
        values,
      );
    const { core, db } = get();
    const { id } = await db.apps.find('utf8-app').then((app) => app ?? { id: '' });
    const environment = await db.config.resolve(id);
    assert.deepEqual(
      variables.map(({ name }) => environment[name]?.reveal()),
      values,
    );
    assert.equal(
      (await core.config.list(await core.authenticator.byToken(get().tokens.admin), id)).length,
      values.length,
    );
  });

  test('aliases are shown as they are, or followed', async () => {
    const { send, path, read } = await withApp('alias-app');
    const variables = [
      { name: 'DATABASE_URL', value: '$SCALINGO_POSTGRESQL_URL' },
      { name: 'SCALINGO_POSTGRESQL_URL', value: 'postgres://u:p@h/d' },
      { name: 'TEXT', value: 'costs $5' },
    ];
    await send('PUT', path, { variables });
    const value = async (query: string): Promise<string | undefined> =>
      (await read(query)).find(({ name }) => name === 'DATABASE_URL')?.value;
    assert.equal(await value(''), '$SCALINGO_POSTGRESQL_URL');
    assert.equal(await value('?aliases=true'), '$SCALINGO_POSTGRESQL_URL');
    assert.equal(await value('?aliases=false'), 'postgres://u:p@h/d');
    assert.deepEqual((await read('?aliases=false')).find(({ name }) => name === 'TEXT')?.value, 'costs $5');
  });

  test('one is added, changed by its name and by its id, and taken away', async () => {
    const { send, path, read } = await withApp('one-variable');
    const added = await send('POST', path, { variable: { name: 'MODE', value: 'one' } });
    assert.equal(added.status, 201);
    const { variable } = added.json<{ variable: Variable }>();
    assert.match(variable.id, /^[0-9a-f]{24}$/);
    assert.deepEqual([variable.name, variable.value], ['MODE', 'one']);
    const again = await send('POST', path, { variable: { name: 'MODE', value: 'two' } });
    assert.deepEqual([again.status, again.json()], [200, { variable: { ...variable, value: 'two' } }]);
    const edited = await send('PATCH', `${path}/${variable.id}`, {
      variable: { id: '', name: 'OTHER', value: 'three' },
    });
    assert.deepEqual([edited.status, edited.json()], [200, { variable: { ...variable, value: 'three' } }]);
    assert.deepEqual(await read(), [{ ...variable, value: 'three' }]);
    assert.equal((await send('DELETE', `${path}/${variable.id}`)).status, 204);
    assert.deepEqual(await read(), []);
    assert.equal((await send('DELETE', `${path}/${variable.id}`)).status, 404);
    assert.equal((await send('PATCH', `${path}/${variable.id}`, { variable: { value: 'x' } })).status, 404);
  });

  test('many are set at once and leave the others; many are taken away at once, or none', async () => {
    const { send, path, read } = await withApp('many-variables');
    await send('POST', path, { variable: { name: 'KEPT', value: 'k' } });
    const variables = ['A', 'B', 'C'].map((name) => ({ name, value: name.toLowerCase() }));
    const set = await send('PUT', path, { variables: [...variables, { name: 'A', value: 'again' }] });
    const given = set.json<{ variables: readonly Variable[] }>().variables;
    assert.deepEqual(
      given.map(({ name, value }) => [name, value]),
      [
        ['A', 'again'],
        ['B', 'b'],
        ['C', 'c'],
      ],
    );
    assert.deepEqual(
      (await read()).map(({ name }) => name),
      ['A', 'B', 'C', 'KEPT'],
    );
    const ids = given.slice(0, 2).map(({ id }) => id);
    const half = await send('DELETE', path, { variable_ids: [...ids, 'ab'.repeat(12)] });
    assert.deepEqual([half.status, (await read()).length], [404, 4]);
    assert.equal((await send('DELETE', path, { variable_ids: ids })).status, 204);
    assert.deepEqual(
      (await read()).map(({ name }) => name),
      ['C', 'KEPT'],
    );
    for (const body of [undefined, {}, { variable_ids: [] }, { variable_ids: [1] }])
      assert.equal((await send('DELETE', path, body)).status, 422, JSON.stringify(body));
  });

  test('bad names and values are refused, and nothing of their request is set', async () => {
    const { send, path, read } = await withApp('bad-variables');
    const cases: readonly (readonly [string, unknown, string])[] = [
      ['', 'x', 'name'],
      ['WITH SPACE', 'x', 'name'],
      ['1ST', 'x', 'name'],
      ['DASHED-NAME', 'x', 'name'],
      ['N'.repeat(65), 'x', 'name'],
      ['NAME=', 'x', 'name'],
      ['EMPTY', '', 'value'],
      ['NULL', null, 'value'],
      ['NUMBER', 5, 'value'],
      ['LONG', 'x'.repeat(8193), 'value'],
      ['NUL', 'a\0b', 'value'],
    ];
    for (const [name, value, field] of cases) {
      const one = await send('POST', path, { variable: { name, value } });
      assert.deepEqual([one.status, Object.keys(errorsOf(one))], [422, [field]], JSON.stringify([name, value]));
      const many = await send('PUT', path, {
        variables: [
          { name: 'GOOD', value: 'x' },
          { name, value },
        ],
      });
      assert.deepEqual([many.status, Object.keys(errorsOf(many))], [422, [field]]);
    }
    assert.deepEqual(errorsOf(await send('POST', path, {})), { variable: ['missing field'] });
    assert.deepEqual(errorsOf(await send('PUT', path, {})), { variables: ['missing field'] });
    assert.deepEqual(await read(), []);
  });
});
