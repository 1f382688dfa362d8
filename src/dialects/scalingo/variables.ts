import type { AppView } from '../../core/apps/app.ts';
import type { ConfigVar } from '../../core/config/config.ts';
import { resolveAlias } from './aliases.ts';
import { type Call, created, noContent, ok, param, queried, type Route } from './call.ts';
import { notThere, unprocessable } from './errors.ts';
import { type Fields, fieldsOf, rooted, rootedList, text } from './fields.ts';
import { derivedId } from './ids.ts';
import type { ScalingoParts } from './settings.ts';

const NAME_MAX = 64;
const VALUE_MAX = 8192;
const ENTRIES_MAX = 500;

interface Entry {
  readonly name: string;
  readonly value: string;
}

const idOf = (app: Pick<AppView, 'id'>, name: string): string => derivedId('variable', app.id, name);
const shape = (app: AppView, { name, value }: Entry) => ({ id: idOf(app, name), name, value });

export function variableRoutes({ core }: ScalingoParts): readonly Route[] {
  const find = (call: Call): Promise<AppView> => core.apps.get(call.actor, param(call, 'app'));

  async function list(call: Call) {
    const app = await find(call);
    const entries = (await core.config.list(call.actor, app.id)).map(entryOf);
    const values = new Map(entries.map(({ name, value }) => [name, value]));
    const resolved = queried(call, 'aliases') === 'false';
    return ok({
      variables: entries.map(({ name, value }) =>
        shape(app, { name, value: resolved ? resolveAlias(value, values) : value }),
      ),
    });
  }

  /** 201, or 200 when there was one of the name. */
  async function add(call: Call) {
    const app = await find(call);
    const entry = entryInput(rooted(call.body, 'variable'));
    const known = (await core.config.list(call.actor, app.id)).some(({ name }) => name === entry.name);
    await core.config.update(call.actor, app.id, { [entry.name]: entry.value }, { single: true });
    const variable = shape(app, entry);
    return known ? ok({ variable }) : created({ variable });
  }

  async function addAll(call: Call) {
    const app = await find(call);
    const entries = rootedList(call.body, 'variables').map(entryInput);
    if (entries.length > ENTRIES_MAX) throw unprocessable('variables', `should be at most ${ENTRIES_MAX} at a time`);
    // Of two with one name the last one counts.
    const change = new Map(entries.map(({ name, value }) => [name, value]));
    await core.config.update(call.actor, app.id, Object.fromEntries(change));
    return ok({ variables: [...change].map(([name, value]) => shape(app, { name, value })) });
  }

  async function edit(call: Call) {
    const app = await find(call);
    const [known] = await variables(call, app, [param(call, 'variable')]);
    const value = valueInput(rooted(call.body, 'variable'));
    const name = known?.name ?? '';
    await core.config.update(call.actor, app.id, { [name]: value }, { single: true });
    return ok({ variable: shape(app, { name, value }) });
  }

  async function remove(call: Call, ids: readonly string[], single: boolean) {
    const app = await find(call);
    const named = await variables(call, app, ids);
    const inherited = named.find(({ source }) => source === 'space');
    if (inherited !== undefined) throw unprocessable('name', `${inherited.name} is not set by the application`);
    const change = Object.fromEntries(named.map(({ name }) => [name, null]));
    await core.config.update(call.actor, app.id, change, { single });
    return noContent;
  }

  function idsInput({ body }: Call): readonly string[] {
    const { variable_ids: ids } = fieldsOf(body);
    if (!Array.isArray(ids) || ids.length === 0 || !ids.every((id): id is string => typeof id === 'string'))
      throw unprocessable('variable_ids', 'missing field');
    return ids;
  }

  /** Those with these ids. Throws 404 when one is missing. */
  async function variables(call: Call, app: AppView, ids: readonly string[]): Promise<readonly ConfigVar[]> {
    const all = await core.config.list(call.actor, app.id);
    return ids.map((id) => {
      const found = all.find(({ name }) => idOf(app, name) === id);
      if (found === undefined) throw notThere('variable');
      return found;
    });
  }

  const path = '/v1/apps/:app/variables';
  return [
    { method: 'GET', path, access: 'app.read.env', handle: list },
    { method: 'POST', path, access: 'app.update.env', handle: add },
    { method: 'PUT', path, access: 'app.update.env', handle: addAll },
    { method: 'DELETE', path, access: 'app.update.env', handle: (call) => remove(call, idsInput(call), false) },
    { method: 'PATCH', path: `${path}/:variable`, access: 'app.update.env', handle: edit },
    {
      method: 'DELETE',
      path: `${path}/:variable`,
      access: 'app.update.env',
      handle: (call) => remove(call, [param(call, 'variable')], true),
    },
  ];
}

const entryOf = ({ name, value }: ConfigVar): Entry => ({ name, value: value.reveal() });

function entryInput(fields: Fields): Entry {
  const name = text(fields, 'name') ?? '';
  if (name === '') throw unprocessable('name', "can't be blank");
  if (name.length > NAME_MAX) throw unprocessable('name', `is too long (maximum is ${NAME_MAX} characters)`);
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    throw unprocessable('name', 'should contain only letters, digits and underscores, and not begin with a digit');
  return { name, value: valueInput(fields) };
}

function valueInput(fields: Fields): string {
  const value = text(fields, 'value') ?? '';
  if (value === '') throw unprocessable('value', "can't be blank");
  if (value.length > VALUE_MAX) throw unprocessable('value', `is too long (maximum is ${VALUE_MAX} characters)`);
  if (value.includes('\0')) throw unprocessable('value', 'should not contain the character NUL');
  return value;
}
