/** What an app consists of: its container types, and the containers that run. */
import type { InstanceView } from '../../core/instances/instance-service.ts';
import { shortId } from '../../core/names.ts';
import { type Call, ok, param, type Route } from './call.ts';
import { containerLabel } from './container-label.ts';
import { commandOf, formationOf } from './formation.ts';
import { oneOffShape } from './run/one-off-shape.ts';
import type { ScalingoParts } from './settings.ts';
import { sizeShapes } from './sizes.ts';

export function containerRoutes({ core }: ScalingoParts): readonly Route[] {
  async function list(call: Call) {
    const app = await core.apps.get(call.actor, param(call, 'app'));
    return ok({ containers: await formationOf(core, call.actor, app) });
  }

  async function ps(call: Call) {
    const { app, processes } = await core.apps.getWithProcesses(call.actor, param(call, 'app'));
    const [instances, release, sizes] = await Promise.all([
      core.instances.list(call.actor, app.id),
      core.releases.target(call.actor, app.id),
      sizeShapes(core, call.actor),
    ]);
    const containers = instances.map((instance) => {
      const process = processes.find(({ type }) => type === instance.processType);
      return {
        id: shortId(instance.id),
        app_id: shortId(app.id),
        type: instance.processType,
        type_index: instance.ordinal + 1,
        label: containerLabel(instance),
        created_at: instance.createdAt.toISOString(),
        deleted_at: null,
        state: stateOf(instance),
        command: process === undefined ? '' : commandOf(process, release),
        container_size: (process && sizes.get(process.sizeId)) ?? null,
      };
    });
    const oneOffs = (await core.oneOffs.list(call.actor, app.id)).map((oneOff) =>
      oneOffShape(oneOff, sizes.get(oneOff.sizeId)),
    );
    const all = [...containers, ...oneOffs];
    return ok({ containers: all.toSorted((a, b) => a.label.localeCompare(b.label, 'en', { numeric: true })) });
  }

  return [
    { method: 'GET', path: '/v1/apps/:app/containers', access: 'app.read.info', handle: list },
    { method: 'GET', path: '/v1/apps/:app/ps', access: 'app.read.info', handle: ps },
  ];
}

function stateOf({ state, actual }: InstanceView): string {
  if (state === 'draining') return 'stopping';
  if (state === 'crashed' || actual?.state === 'exited') return 'crashed';
  return state === 'ready' ? 'running' : 'starting';
}
