/** Regions and stacks. The platform has one pool to this API: the one region and stack that clients know by these ids. */
import { notFound } from '../../core/errors.ts';
import { ok, param, type Route } from './call.ts';

const made = { created_at: '2016-07-01T12:00:00.000Z', updated_at: '2016-07-01T12:00:00.000Z' };

export const region = {
  country: 'United States',
  ...made,
  description: 'US West Coast',
  id: 'f5f1d4d9-aa4a-12aa-bec3-d44af53b59e3',
  locale: 'seattle',
  name: 'us-seattle',
  private_capable: true,
  provider: { name: 'amazon-web-services', region: 'us-west-2', availability_zones: ['us-west-2a', 'us-west-2b'] },
  high_availability: true,
} as const;

export const stack = {
  ...made,
  id: 'ffa8cf57-768e-5214-82fe-fda3f19353f3',
  name: 'ds1',
  region: { id: region.id, name: region.name },
  default: true,
  state: 'public',
} as const;

export const regionReference = { id: region.id, name: region.name };
export const stackReference = { id: stack.id, name: stack.name };

function find<T extends { readonly id: string; readonly name: string }>(noun: string, item: T, reference: string): T {
  if (reference !== item.id && reference !== item.name) throw notFound(noun, reference);
  return item;
}

/** Throws `not-found`. */
export const findStack = (reference: string): typeof stack => find('stack', stack, reference);
export const findRegion = (reference: string): typeof region => find('region', region, reference);

export function stackRoutes(): readonly Route[] {
  return [
    { method: 'GET', path: '/regions', access: 'signed-in', handle: async () => ok([region]) },
    {
      method: 'GET',
      path: '/regions/:region',
      access: 'signed-in',
      handle: async (call) => ok(findRegion(param(call, 'region'))),
    },
    { method: 'GET', path: '/stacks', access: 'signed-in', handle: async () => ok([stack]) },
    {
      method: 'GET',
      path: '/stacks/:stack',
      access: 'signed-in',
      handle: async (call) => ok(findStack(param(call, 'stack'))),
    },
  ];
}
