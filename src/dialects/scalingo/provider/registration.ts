/** How an administrator brings a provider's service into the catalogue: by its manifest. The hosted API has a form for it. */

import { providerShape } from '../addons/catalogue-shape.ts';
import { type Call, created, noContent, ok, param, type Route } from '../call.ts';
import { rootedOrBare } from '../fields.ts';
import type { ScalingoParts } from '../settings.ts';
import { readManifest } from './manifest.ts';

export function registrationRoutes({ core }: ScalingoParts): readonly Route[] {
  const manifestOf = ({ body }: Call) => readManifest(rootedOrBare(body, 'addon_provider'));

  async function register(call: Call) {
    return created({ addon_provider: providerShape(await core.services.register(call.actor, manifestOf(call))) });
  }

  /** In the place of the one before; the name stays. */
  async function replace(call: Call) {
    const { name: _name, team: _team, ...change } = manifestOf(call);
    const service = await core.services.update(call.actor, param(call, 'provider'), change);
    return ok({ addon_provider: providerShape(service) });
  }

  async function remove(call: Call) {
    await core.services.remove(call.actor, param(call, 'provider'));
    return noContent;
  }

  const path = '/v1/addon_providers';
  return [
    { method: 'POST', path, access: 'service.create', handle: register },
    { method: 'PUT', path: `${path}/:provider`, access: 'service.update', handle: replace },
    { method: 'DELETE', path: `${path}/:provider`, access: 'service.delete', handle: remove },
  ];
}
