import type { SpaceWithCount } from '../../core/spaces/space-service.ts';
import { type Call, ok, param, type Route } from './call.ts';
import { Refusal, unprocessable } from './errors.ts';
import { fieldsOf, text } from './fields.ts';
import type { AkkerisParts } from './settings.ts';
import { spaceShape } from './space-shape.ts';
import { findRegion, findStack } from './stacks.ts';

const reservedNames = new Set([
  'kube-system',
  'brokers',
  'k2-poc',
  'kube-public',
  'akkeris-system',
  'istio-system',
  'cert-manager',
]);

export function spaceRoutes({ core }: AkkerisParts): readonly Route[] {
  const counted = async ({ actor }: Call, id: string): Promise<SpaceWithCount | undefined> =>
    (await core.spaces.list(actor)).find((space) => space.id === id);

  return [
    {
      method: 'GET',
      path: '/spaces',
      access: 'signed-in',
      handle: async ({ actor }) => ok((await core.spaces.list(actor)).map(spaceShape)),
    },
    {
      method: 'GET',
      path: '/spaces/:space',
      access: 'signed-in',
      handle: async (call) => {
        const space = await core.spaces.get(call.actor, param(call, 'space'));
        return ok(spaceShape((await counted(call, space.id)) ?? { ...space, appCount: 0 }));
      },
    },
    {
      method: 'POST',
      path: '/spaces',
      access: 'space.create',
      handle: async ({ actor, body }) => {
        const input = spaceInput(body);
        const space = await core.spaces.create(actor, { ...input, teamId: null });
        // The real server answers 200, not 201.
        return ok(spaceShape({ ...space, appCount: 0 }));
      },
    },
  ];
}

function spaceInput(body: unknown): { name: string; description: string; compliance: readonly string[] } {
  const fields = fieldsOf(body);
  const name = (text(fields, 'name') ?? '').trim().toLowerCase();
  if (!/^[A-z0-9-]+$/.test(name))
    throw unprocessable('The space name was invalid, it must be alphanumeric and may contain dashes.');
  if (reservedNames.has(name)) throw new Refusal(409, 'The specified space is reserved.');
  const compliance = fields.compliance ?? [];
  if (!Array.isArray(compliance) || !compliance.every((tag) => typeof tag === 'string' && /^[A-z0-9-]+$/.test(tag)))
    throw unprocessable('The specified compliance was invalid, it must be an array of alphanumeric tags.');
  const stack = text(fields, 'stack');
  if (stack !== undefined) findStack(stack);
  const region = text(fields, 'region');
  if (region !== undefined) findRegion(region);
  return { name, description: text(fields, 'description') ?? '', compliance };
}
