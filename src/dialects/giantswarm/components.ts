import { BerthError } from '../../core/errors.ts';
import { podMates } from '../../core/processes/pod.ts';
import type { StrategyName } from '../../core/releases/release.ts';
import { type AppTree, type ComponentView, readTree, type ServiceView } from './app-tree.ts';
import { answer, type Call, param, type Route } from './call.ts';
import { notThere, wrongInput } from './errors.ts';
import { optionalTextField } from './input.ts';
import { appOf } from './scope.ts';
import type { GiantSwarmParts } from './settings.ts';
import { namingImages, startProcesses } from './start.ts';
import { componentShape, serviceShape } from './status-shape.ts';

const strategies: readonly StrategyName[] = ['one-by-one', 'all-at-once', 'hot-swap'];

export function componentRoutes({ core, settings }: GiantSwarmParts): readonly Route[] {
  async function serviceOf(call: Call): Promise<{ tree: AppTree; service: ServiceView }> {
    const { app } = await appOf(core, call);
    const tree = await readTree(core, call.actor, app, settings.registryHost);
    const service = tree.services.find(({ name }) => name === param(call, 'service'));
    if (service === undefined) throw notThere();
    return { tree, service };
  }

  async function componentOf(call: Call): Promise<{ tree: AppTree; component: ComponentView }> {
    const { tree, service } = await serviceOf(call);
    const component = service.components.find(({ name }) => name === param(call, 'component'));
    if (component === undefined) throw notThere();
    return { tree, component };
  }

  const typesOf = ({ components }: ServiceView): readonly string[] => components.map(({ process }) => process.type);

  /** The document shows the service here, its older edition the component; this answer can be read as both. */
  async function status(call: Call) {
    const { tree, component } = await componentOf(call);
    const shape = componentShape(tree, component);
    return answer('data', { ...shape, components: [shape] });
  }

  async function update(call: Call) {
    const { tree, component } = await componentOf(call);
    const name = optionalTextField(call.body, 'strategy') ?? 'one-by-one';
    const strategy = strategies.find((known) => known === name);
    if (strategy === undefined) throw wrongInput(`["strategy"]: must be ${strategies.join(', ')}`);
    const tag = param(call, 'version');
    await namingImages(tree, async () => {
      try {
        await core.images.update(call.actor, tree.app.id, component.process.type, tag, strategy);
      } catch (error) {
        if (error instanceof BerthError && error.details.code === 'malformed') throw wrongInput(error.message);
        throw error;
      }
    });
    return answer('updated');
  }

  /** Members of a pod scale together. One instance scaled down stays one. */
  async function scale(call: Call, direction: 1 | -1) {
    const { tree, component } = await componentOf(call);
    const text = param(call, 'scale');
    const step = /^\d{1,4}$/.test(text) ? Number(text) : 0;
    if (step === 0) throw wrongInput('the number of instances must be 1 or more');
    const { min, max, process } = component;
    const quantity = process.quantity + direction * step;
    if (direction < 0 && process.quantity <= 1) return answer('updated');
    if (quantity < min || quantity > max)
      throw wrongInput(
        `${component.service}/${component.name}: ${quantity} instances are not between ${min} and ${max}`,
      );
    const processes = tree.services.flatMap((service) => service.components.map((one) => one.process));
    const changes = podMates(processes, process).map(({ type }) => ({ type, quantity }));
    await core.processes.update(call.actor, tree.app.id, changes);
    return answer('updated');
  }

  const service = '/v1/org/:org/env/:env/app/:app/service/:service';
  const own = `${service}/component/:component`;
  return [
    {
      method: 'POST',
      path: `${service}/start`,
      access: 'app.update.start',
      handle: async (call) => {
        const found = await serviceOf(call);
        await startProcesses(core, call, found.tree, typesOf(found.service));
        return answer('started');
      },
    },
    {
      method: 'POST',
      path: `${service}/stop`,
      access: 'app.update.stop',
      handle: async (call) => {
        const found = await serviceOf(call);
        await core.switches.stop(call.actor, found.tree.app.id, typesOf(found.service));
        return answer('serviceStopped');
      },
    },
    {
      method: 'GET',
      path: `${service}/status`,
      access: 'app.read.info',
      handle: async (call) => {
        const found = await serviceOf(call);
        return answer('data', serviceShape(found.tree, found.service));
      },
    },
    { method: 'GET', path: `${own}/status`, access: 'app.read.info', handle: status },
    { method: 'POST', path: `${own}/version/:version/update`, access: 'app.deploy.image', handle: update },
    { method: 'POST', path: `${own}/scaleup/:scale`, access: 'app.update.unit', handle: (call) => scale(call, 1) },
    { method: 'POST', path: `${own}/scaledown/:scale`, access: 'app.update.unit', handle: (call) => scale(call, -1) },
  ];
}
