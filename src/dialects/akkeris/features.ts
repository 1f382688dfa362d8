import type { AppView } from '../../core/apps/app.ts';
import { notFound } from '../../core/errors.ts';
import { type Call, ok, param, type Route } from './call.ts';
import { Refusal } from './errors.ts';
import { type Feature, features } from './feature-list.ts';
import { fieldsOf } from './fields.ts';
import type { AkkerisParts } from './settings.ts';

export function featureRoutes({ core, settings }: AkkerisParts): readonly Route[] {
  const find = async (call: Call): Promise<AppView> => core.apps.get(call.actor, param(call, 'app'));
  const shape = ({ id, name, displayName, description, state }: Feature, app: AppView): unknown => ({
    description,
    doc_url: `/features/${name}`,
    id,
    state,
    name,
    display_name: displayName,
    feedback_email: settings.supportEmail,
    enabled: app.features[name] === true,
  });

  async function update(call: Call): Promise<unknown> {
    const app = await find(call);
    const feature = findFeature(param(call, 'feature'));
    const { enabled } = fieldsOf(call.body);
    if (typeof enabled !== 'boolean') throw new Refusal(400, 'The enabled field must be true or false.');
    if (feature.state === 'deprecated')
      throw new Refusal(403, `The specified feature ${feature.name} has been deprecated`);
    return shape(feature, await core.apps.setFeature(call.actor, app.id, feature.name, enabled));
  }

  const path = '/apps/:app/features';
  return [
    {
      method: 'GET',
      path,
      access: 'app.read.info',
      handle: async (call) => {
        const app = await find(call);
        return ok(features.map((feature) => shape(feature, app)));
      },
    },
    {
      method: 'GET',
      path: `${path}/:feature`,
      access: 'app.read.info',
      handle: async (call) => {
        const app = await find(call);
        return ok(shape(findFeature(param(call, 'feature')), app));
      },
    },
    { method: 'PATCH', path: `${path}/:feature`, access: 'app.update', handle: async (call) => ok(await update(call)) },
  ];
}

function findFeature(name: string): Feature {
  const feature = features.find((known) => known.name === name);
  if (feature === undefined) throw notFound('feature', name);
  return feature;
}
