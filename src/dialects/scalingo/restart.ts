import type { Actor } from '../../core/access/actor.ts';
import type { AppView } from '../../core/apps/app.ts';
import type { Operation } from '../../core/operations/operation.ts';
import { nameOf } from './app-shape.ts';
import { refuseBusy } from './app-status.ts';
import { statusOf } from './app-views.ts';
import { type Call, param, type Route } from './call.ts';
import { containerLabel } from './container-label.ts';
import { notThere, unprocessable } from './errors.ts';
import { fieldsOf } from './fields.ts';
import { operationUrl } from './links.ts';
import { operationShape } from './operations.ts';
import type { ScalingoParts } from './settings.ts';

type Scoped = { readonly type: string } | { readonly instanceId: string };

export function restartRoutes(parts: ScalingoParts): readonly Route[] {
  const { core } = parts;

  async function restart(call: Call) {
    const app = await core.apps.get(call.actor, param(call, 'app'));
    const scope = scopeInput(call.body);
    const scoped = await find(call.actor, app, scope);
    refuseBusy(await statusOf(parts, app));
    const operation = await begin(call.actor, app, scoped);
    return {
      status: 202,
      headers: { location: operationUrl(call.baseUrl, nameOf(app), operation.id) },
      body: { operation: operationShape(operation) },
    };
  }

  /** `web` is all containers of the type, `web-1` the one of that label. */
  async function find(actor: Actor, app: AppView, scope: readonly string[]): Promise<readonly Scoped[]> {
    if (scope.length === 0) return [];
    const types = new Set<string>((await core.processes.listOf([app])).map(({ type }) => type));
    const instances = await core.instances.list(actor, app.id);
    return scope.map((name) => {
      if (types.has(name)) return { type: name };
      const instance = instances.find((item) => containerLabel(item) === name && item.state !== 'draining');
      if (instance !== undefined) return { instanceId: instance.id };
      throw notThere(types.has(name.replace(/-\d+$/, '')) ? 'container' : 'container_type');
    });
  }

  /** The last one ends when all that was asked for runs. */
  async function begin(actor: Actor, app: AppView, scoped: readonly Scoped[]): Promise<Operation> {
    let last: Operation | null = null;
    for (const item of scoped)
      last =
        'type' in item
          ? await core.processes.restart(actor, app.id, item.type)
          : await core.instances.restart(actor, app.id, item.instanceId);
    return last ?? core.apps.restart(actor, app.id);
  }

  return [{ method: 'POST', path: '/v1/apps/:app/restart', access: 'app.update.restart', handle: restart }];
}

/** None for the whole app. */
function scopeInput(body: unknown): readonly string[] {
  const { scope } = fieldsOf(body);
  if (scope === undefined || scope === null) return [];
  if (!Array.isArray(scope) || !scope.every((name): name is string => typeof name === 'string'))
    throw unprocessable('scope', 'should be a list of container types or containers');
  return scope;
}
