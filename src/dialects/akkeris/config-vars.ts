import type { AppView } from '../../core/apps/app.ts';
import type { ConfigVar } from '../../core/config/config.ts';
import type { ConfigChange } from '../../core/config/config-service.ts';
import { type Call, ok, param, type Route } from './call.ts';
import { isSystemName, systemNames } from './config-var-names.ts';
import { Refusal, unprocessable } from './errors.ts';
import { fieldsOf, flag, text } from './fields.ts';
import { portOf } from './formation-shape.ts';
import { redact } from './redaction.ts';
import { type AkkerisParts, DEFAULT_PORT } from './settings.ts';
import { isSocs } from './space-shape.ts';

export function configVarRoutes({ core }: AkkerisParts): readonly Route[] {
  const find = async (call: Call): Promise<AppView> => core.apps.get(call.actor, param(call, 'app'));

  async function port(app: AppView): Promise<string> {
    const web = (await core.processes.listOf([app])).find(({ type }) => type === 'web');
    return String(web === undefined ? DEFAULT_PORT : portOf(web));
  }

  async function shape(app: AppView, vars: readonly ConfigVar[]): Promise<unknown> {
    const shown = isSocs(app.spaceCompliance) ? redact : (_name: string, value: string) => value;
    const own = vars.filter(({ name }) => !isSystemName(name));
    return Object.fromEntries([
      ['PORT', await port(app)],
      ...own.map(({ name, value }) => [name, shown(name, value.reveal())]),
    ]);
  }

  async function update(call: Call): Promise<unknown> {
    const app = await find(call);
    const change = changeInput(call.body, await port(app));
    return shape(app, await core.config.update(call.actor, app.id, change));
  }

  async function annotate(call: Call): Promise<unknown> {
    const app = await find(call);
    const entries = Object.entries(fieldsOf(call.body));
    for (const [name] of entries)
      if (isSystemName(name)) throw new Refusal(409, `The config variable ${name} is reserved and cannot be changed.`);
    const notes = entries.map(([name, note]) => {
      const fields = fieldsOf(note);
      const [description, required] = [text(fields, 'description'), flag(fields, 'required')];
      return [
        name,
        { ...(description === undefined ? {} : { description }), ...(required === undefined ? {} : { required }) },
      ];
    });
    return notesShape(await core.config.annotate(call.actor, app.id, Object.fromEntries(notes)));
  }

  const path = '/apps/:app/config-vars';
  return [
    {
      method: 'GET',
      path,
      access: 'app.read.env',
      handle: async (call) => {
        const app = await find(call);
        return ok(await shape(app, await core.config.list(call.actor, app.id)));
      },
    },
    { method: 'PATCH', path, access: 'app.update.env', handle: async (call) => ok(await update(call)) },
    {
      method: 'GET',
      path: `${path}/notes`,
      access: 'app.read.env',
      handle: async (call) => ok(notesShape(await core.config.list(call.actor, param(call, 'app')))),
    },
    {
      method: 'PATCH',
      path: `${path}/notes`,
      access: 'app.update.env',
      handle: async (call) => ok(await annotate(call)),
    },
  ];
}

/** Throws a 422 refusal for a malformed name or value, a 409 one for a reserved name. */
function changeInput(body: unknown, port: string): ConfigChange {
  const entries = Object.entries(fieldsOf(body)).flatMap(([name, value]): [string, string | null][] => {
    if (!/^[A-z_0-9]+$/.test(name))
      throw unprocessable(
        `The config variable ${name} is invalid. Configuration variables must be alpha numeric names but may contain underscores.`,
      );
    // Sending back what was read changes nothing.
    if (name === 'PORT' && String(value) === port) return [];
    if (isSystemName(name)) throw new Refusal(409, `The config variable ${name} is reserved and cannot be changed.`);
    if (value === null) return [[name, null]];
    if (typeof value === 'object') throw unprocessable(`The value of the config variable ${name} must be a string.`);
    return [[name, String(value)]];
  });
  return Object.fromEntries(entries);
}

function notesShape(vars: readonly ConfigVar[]): unknown {
  const system = systemNames.map((name) => [
    name,
    { type: 'system', addon: null, read_only: true, required: true, description: '' },
  ]);
  const own = vars
    .filter(({ name }) => !isSystemName(name))
    .map(({ name, source, ownerId, required, description }) => {
      const addon = source === 'addon' ? { id: ownerId, name: ownerId } : null;
      return [
        name,
        { type: addon === null ? 'user' : 'addon', addon, read_only: addon !== null, required, description },
      ];
    });
  return Object.fromEntries([...system, ...own]);
}
