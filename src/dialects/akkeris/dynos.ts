import { constants } from 'node:os';
import type { AppView } from '../../core/apps/app.ts';
import { notFound } from '../../core/errors.ts';
import type { InstanceView } from '../../core/instances/instance-service.ts';
import { appKey } from './app-shape.ts';
import { accepted, type Call, ok, param, type Route } from './call.ts';
import { dynoName, dynoShape } from './dyno-shape.ts';
import { Refusal } from './errors.ts';
import { fieldsOf } from './fields.ts';
import { readHistory } from './release-history.ts';
import type { AkkerisParts } from './settings.ts';

export function dynoRoutes({ core }: AkkerisParts): readonly Route[] {
  const find = async (call: Call): Promise<AppView> => core.apps.get(call.actor, param(call, 'app'));

  async function list(call: Call): Promise<readonly ReturnType<typeof dynoShape>[]> {
    const app = await find(call);
    const [history, processes, instances] = await Promise.all([
      readHistory(core, call.actor, app.id),
      core.processes.listOf([app]),
      core.instances.list(call.actor, app.id),
    ]);
    if (history.length === 0) throw notFound('release');
    const about = { app: { id: app.id, key: appKey(app) }, history, processes };
    return instances.map((instance) => dynoShape(instance, about));
  }

  async function get(call: Call): Promise<unknown> {
    const reference = param(call, 'dyno');
    const dyno = (await list(call)).find(
      ({ id, name, type }) => reference === id || reference === name || reference === `${type}.${name}`,
    );
    if (dyno === undefined) throw notFound('dyno', reference);
    return dyno;
  }

  /** The instance behind `{type}.{name}`. Throws `not-found`. */
  async function instanceOf(call: Call, app: AppView): Promise<InstanceView> {
    const reference = param(call, 'dyno');
    const instance = (await core.instances.list(call.actor, app.id)).find(
      ({ id, processType }) => `${processType}.${dynoName(id)}` === reference,
    );
    if (instance === undefined) throw notFound('dyno', reference);
    return instance;
  }

  async function restart(call: Call): Promise<unknown> {
    const app = await find(call);
    const reference = param(call, 'dyno');
    if (!reference.includes('.')) {
      await core.processes.restart(call.actor, app.id, reference);
      return { status: 'pending', type: reference };
    }
    const instance = await instanceOf(call, app);
    await core.instances.restart(call.actor, app.id, instance.id);
    return { status: 'pending', type: instance.processType, dyno: dynoName(instance.id) };
  }

  async function attach(call: Call): Promise<unknown> {
    const signal = killSignal(fieldsOf(call.body).command);
    const app = await find(call);
    const instance = await instanceOf(call, app);
    await core.instances.signal(call.actor, app.id, instance.id, signal);
    const ended = { exitCode: 0, stdout: '', stderr: '' };
    return { status: 'successful', type: instance.processType, dyno: dynoName(instance.id), ...ended };
  }

  /** As in the original, what was stopped is replaced: the formation still asks for it. */
  async function stop(call: Call): Promise<unknown> {
    const app = await find(call);
    const instance = await instanceOf(call, app);
    await core.instances.restart(call.actor, app.id, instance.id);
    return { status: 'pending', type: instance.processType, dyno: dynoName(instance.id) };
  }

  const path = '/apps/:app/dynos';
  return [
    { method: 'GET', path, access: 'app.read.info', handle: async (call) => ok(await list(call)) },
    {
      method: 'DELETE',
      path,
      access: 'app.update.restart',
      handle: async (call) => {
        await core.apps.restart(call.actor, (await find(call)).id);
        return accepted({ status: 'pending' });
      },
    },
    { method: 'GET', path: `${path}/:dyno`, access: 'app.read.info', handle: async (call) => ok(await get(call)) },
    {
      method: 'DELETE',
      path: `${path}/:dyno`,
      access: 'app.update.restart',
      handle: async (call) => accepted(await restart(call)),
    },
    {
      method: 'POST',
      path: `${path}/:dyno/actions/attach`,
      access: 'app.run',
      handle: async (call) => ok(await attach(call)),
    },
    {
      method: 'POST',
      path: `${path}/:dyno/actions/stop`,
      access: 'app.update.restart',
      handle: async (call) => ok(await stop(call)),
    },
  ];
}

const signalNames = new Map(Object.entries(constants.signals).map(([name, number]) => [number as number, name]));

/** The one command that may be attached: `sh -c "kill -N -1"`, in one word or several. Throws a 403 refusal for any other. */
function killSignal(command: unknown): string {
  const words = Array.isArray(command) ? command : [];
  const line = words.join(' ').trim();
  const number = /^(?:\/bin\/)?sh -c kill -(\d{1,2}) -1$/.exec(line)?.[1];
  const name = signalNames.get(Number(number ?? Number.NaN));
  if (name === undefined) throw new Refusal(403, 'The specified command is not allowed.');
  return name;
}
