/** `run`: a command in a container of its own. Attached, it starts when the client attaches; detached, at once. */
import type { AppView } from '../../../core/apps/app.ts';
import { type ConfigName, configName, shortId } from '../../../core/names.ts';
import type { CreateOneOff, OneOff } from '../../../core/one-offs/one-off.ts';
import { Secret } from '../../../core/ports/secret.ts';
import { nameOf } from '../app-shape.ts';
import { showApp } from '../app-views.ts';
import { type Answer, type Call, noContent, param, type Route } from '../call.ts';
import { notThere, unprocessable } from '../errors.ts';
import { type Fields, fieldsOf, isObject, needed, said } from '../fields.ts';
import { operationUrl } from '../links.ts';
import type { ScalingoParts } from '../settings.ts';
import { DEFAULT_SIZE, findSize, shownSize, sizeShape } from '../sizes.ts';
import { attachUrl } from './attach-url.ts';
import { oneOffLabel, oneOffShape } from './one-off-shape.ts';

export function runRoutes(parts: ScalingoParts): readonly Route[] {
  const { core } = parts;

  async function run(call: Call): Promise<Answer> {
    const fields = fieldsOf(call.body);
    const command = needed(fields, 'command');
    const app = await core.apps.get(call.actor, param(call, 'app'));
    const size = await findSize(core, said(fields, 'size') ?? DEFAULT_SIZE);
    const detached = fields.detached === true;
    const environment = environmentInput(fields);
    const oneOff = await core.oneOffs.create(call.actor, app.id, { command, size: size.id, detached, environment });
    const url = detached ? null : attachUrl(parts, call.baseUrl, oneOff.id);
    const container = {
      ...oneOffShape(oneOff, sizeShape(size)),
      state: 'booting',
      memory: size.memoryBytes,
      size: shownSize(size),
      app: await showApp(parts, call, app),
      ...(url === null ? {} : { attach_url: url }),
    };
    return {
      status: 200,
      body: { container, ...(url === null ? {} : { attach_url: url }) },
      ...(fields.async === true ? { headers: { location: operationUrl(call.baseUrl, nameOf(app), oneOff.id) } } : {}),
    };
  }

  /** By id or by label, as clients name it. */
  async function findOneOff(call: Call, app: AppView): Promise<OneOff | undefined> {
    const reference = param(call, 'container');
    return (await core.oneOffs.list(call.actor, app.id)).find(
      (item) => shortId(item.id) === reference || item.id === reference || oneOffLabel(item) === reference,
    );
  }

  async function stop(call: Call): Promise<Answer> {
    const app = await core.apps.get(call.actor, param(call, 'app'));
    const oneOff = await findOneOff(call, app);
    if (oneOff !== undefined) await core.oneOffs.stop(call.actor, app.id, oneOff.id);
    else if ((await findInstance(call, app)) === undefined) throw notThere('container');
    else throw unprocessable('container', 'is not a one-off container: scale its type down instead');
    return { status: 202 };
  }

  async function findInstance(call: Call, app: AppView) {
    const reference = param(call, 'container');
    const instances = await core.instances.list(call.actor, app.id);
    return instances.find(
      ({ id, processType, ordinal }) =>
        shortId(id) === reference || id === reference || `${processType}-${ordinal + 1}` === reference,
    );
  }

  async function kill(call: Call): Promise<Answer> {
    const signal = signalInput(fieldsOf(call.body));
    const app = await core.apps.get(call.actor, param(call, 'app'));
    const oneOff = await findOneOff(call, app);
    if (oneOff !== undefined) await core.oneOffs.signal(call.actor, app.id, oneOff.id, signal);
    else {
      const instance = await findInstance(call, app);
      if (instance === undefined) throw notThere('container');
      await core.instances.signal(call.actor, app.id, instance.id, signal);
    }
    return noContent;
  }

  const container = '/v1/apps/:app/containers/:container';
  return [
    { method: 'POST', path: '/v1/apps/:app/run', access: 'app.run', handle: run },
    { method: 'POST', path: `${container}/stop`, access: 'app.run', handle: stop },
    { method: 'POST', path: `${container}/kill`, access: 'app.run', handle: kill },
  ];
}

function environmentInput({ env }: Fields): NonNullable<CreateOneOff['environment']> {
  if (env === undefined || env === null) return {};
  if (!isObject(env)) throw unprocessable('env', 'should be an object of texts');
  const named: Record<ConfigName, Secret> = {};
  for (const [name, value] of Object.entries(env)) {
    if (typeof value !== 'string') throw unprocessable('env', 'should be an object of texts');
    named[configName(name, 'env')] = new Secret(value);
  }
  return named;
}

/** What clients offer; the rest would stop a container without ending it. */
const signals: ReadonlySet<string> = new Set([
  'SIGTERM',
  'SIGKILL',
  'SIGINT',
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
]);

function signalInput(fields: Fields): string {
  const said = needed(fields, 'signal').toUpperCase();
  const signal = said.startsWith('SIG') ? said : `SIG${said}`;
  if (!signals.has(signal)) throw unprocessable('signal', `should be one of ${[...signals].join(', ')}`);
  return signal;
}
