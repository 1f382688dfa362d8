import type { AppView } from '../../core/apps/app.ts';
import { BerthError, notFound } from '../../core/errors.ts';
import type { ProcessChange } from '../../core/processes/new-process.ts';
import type { ProcessView } from '../../core/processes/process.ts';
import { appKey } from './app-shape.ts';
import { type Call, created, ok, param, type Route } from './call.ts';
import { Refusal, unprocessable } from './errors.ts';
import { type Fields, fieldsOf, flag, text } from './fields.ts';
import { changeInput, typeInput } from './formation-input.ts';
import { formationShape } from './formation-shape.ts';
import { readHistory } from './release-history.ts';
import type { AkkerisParts } from './settings.ts';

export function formationRoutes({ core }: AkkerisParts): readonly Route[] {
  const find = async (call: Call): Promise<AppView> => core.apps.get(call.actor, param(call, 'app'));
  const shape = (app: AppView, process: ProcessView): unknown =>
    formationShape(process, { name: app.name, id: app.id });

  async function create(call: Call): Promise<unknown> {
    const app = await find(call);
    const fields = fieldsOf(call.body);
    const type = typeInput(text(fields, 'type') ?? 'web');
    if (flag(fields, 'oneoff') === true || fields.options !== undefined)
      throw unprocessable('One-off dynos and image overrides are not available.');
    const change = inSpace(app, changeInput(fields, type));
    const existing = await core.processes.listOf([app]);
    if (existing.some((process) => process.type === type))
      throw new Refusal(409, `The process of type ${type} already exists.`);
    if (type !== 'web') {
      await demandCommand(call, app, type, change);
      if (!existing.some((process) => process.type === 'web'))
        await core.processes.create(call.actor, app.id, { type: 'web', quantity: 0 });
    }
    const process = await knownSize(() => core.processes.create(call.actor, app.id, { type, ...change }));
    return formationShape(process, { name: appKey(app), id: app.id });
  }

  /** A worker needs a command: its own, or the one that the released build has for its type. */
  async function demandCommand(call: Call, app: AppView, type: string, change: ProcessChange): Promise<void> {
    if (typeof change.command === 'string') return;
    const latest = (await readHistory(core, call.actor, app.id)).at(-1);
    if (latest === undefined || !Object.hasOwn(latest.release.commands, type))
      throw unprocessable('A command must be specified for a non-web based application.');
  }

  async function update(call: Call, changes: readonly (readonly [string, Fields])[]): Promise<readonly ProcessView[]> {
    const app = await find(call);
    if (app.maintenance)
      throw new Refusal(409, 'The application is in maintenance mode, its formation cannot be changed.');
    const existing = new Set<string>((await core.processes.listOf([app])).map((process) => process.type));
    const wanted = changes.map(([type, fields]) => ({ type, ...inSpace(app, changeInput(fields, type)) }));
    const unknown = wanted.find(({ type }) => !existing.has(type));
    if (unknown !== undefined) {
      // An app without any formation gets its web one by this.
      if (unknown.type !== 'web' || existing.size > 0 || wanted.length > 1) throw notFound('formation', unknown.type);
      return [await knownSize(() => core.processes.create(call.actor, app.id, unknown))];
    }
    const { processes } = await knownSize(() => core.processes.update(call.actor, app.id, wanted));
    return processes.filter((process) => wanted.some(({ type }) => type === process.type));
  }

  /** Types that other dialects made may look otherwise than this one's rule for new ones. */
  async function knownType(app: AppView, type: string | undefined): Promise<string> {
    const known = (await core.processes.listOf([app])).some((process) => process.type === type);
    return known && type !== undefined ? type : typeInput(type);
  }

  async function updateBatch(call: Call): Promise<unknown> {
    const entries = Array.isArray(call.body) ? call.body.map(fieldsOf) : [fieldsOf(call.body)];
    const app = await find(call);
    const types = await Promise.all(entries.map((fields) => knownType(app, text(fields, 'type'))));
    const changed = await update(
      call,
      entries.map((fields, index) => [types[index] ?? '', fields]),
    );
    return changed.map((process) => shape(app, process));
  }

  async function updateOne(call: Call): Promise<unknown> {
    const type = await knownType(await find(call), param(call, 'type'));
    // Some clients send the list of the batch operation here.
    const entries: readonly Fields[] = Array.isArray(call.body) ? call.body.map(fieldsOf) : [fieldsOf(call.body)];
    const fields = entries.find((entry) => text(entry, 'type') === type) ?? entries[0] ?? {};
    const [process] = await update(call, [[type, fields]]);
    if (process === undefined) throw notFound('formation', type);
    return shape(await find(call), process);
  }

  const path = '/apps/:app/formation';
  return [
    {
      method: 'GET',
      path,
      access: 'app.read.info',
      handle: async (call) => {
        const app = await find(call);
        return ok((await core.processes.listOf([app])).map((process) => shape(app, process)));
      },
    },
    { method: 'POST', path, access: 'app.update.unit.add', handle: async (call) => created(await create(call)) },
    { method: 'PATCH', path, access: 'app.update.unit', handle: async (call) => ok(await updateBatch(call)) },
    {
      method: 'GET',
      path: `${path}/:type`,
      access: 'app.read.info',
      handle: async (call) => {
        const app = await find(call);
        return ok(shape(app, await core.processes.get(call.actor, app.id, param(call, 'type'))));
      },
    },
    {
      method: 'PATCH',
      path: `${path}/:type`,
      access: 'app.update.unit',
      handle: async (call) => ok(await updateOne(call)),
    },
    {
      method: 'DELETE',
      path: `${path}/:type`,
      access: 'app.update.unit.remove',
      handle: async (call) => {
        const app = await find(call);
        return ok([shape(app, await core.processes.remove(call.actor, app.id, param(call, 'type')))]);
      },
    },
  ];
}

/** In a `prod` space the size that is meant is the one whose memory is all reserved. */
function inSpace(app: AppView, change: ProcessChange): ProcessChange {
  if (change.size === undefined || change.size.endsWith('-prod') || !app.spaceCompliance.includes('prod'))
    return change;
  return { ...change, size: `${change.size}-prod` };
}

async function knownSize<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BerthError && error.details.code === 'unknown-size')
      throw unprocessable('The payload size was not recognized.');
    throw error;
  }
}
