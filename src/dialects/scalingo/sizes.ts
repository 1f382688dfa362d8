/** Sizes of containers under the names of this API. A size of the platform with the memory of one of them is that one. */
import { type Actor, systemActor } from '../../core/access/actor.ts';
import type { Core } from '../../core/core.ts';
import { BerthError } from '../../core/errors.ts';
import { shortId } from '../../core/names.ts';
import type { Size } from '../../core/sizes/size.ts';
import type { Route } from './call.ts';
import type { ScalingoParts } from './settings.ts';

const MIB = 1024 * 1024;
/** What the documents give a container without a size. */
export const DEFAULT_SIZE = 'M';

const plans = [
  { name: 'S', mebibytes: 256, cpu: 'Low', centsPerHour: 1 },
  { name: 'M', mebibytes: 512, cpu: 'Standard', centsPerHour: 2 },
  { name: 'L', mebibytes: 1024, cpu: 'Standard', centsPerHour: 4 },
  { name: 'XL', mebibytes: 2048, cpu: 'High', centsPerHour: 8 },
  { name: '2XL', mebibytes: 4096, cpu: 'High', centsPerHour: 16 },
] as const;
const FIRST_ORDINAL = 2;
const HOURS_OF_30_DAYS = 720;
/** Swap beside memory, as in the documents: 1.5 GiB with 512 MiB. */
const SWAP_FACTOR = 3;

/** `S` … `2XL`, or the platform's own name for a size that this API has none for. */
export function shownSize({ memoryBytes, name }: Pick<Size, 'memoryBytes' | 'name'>): string {
  return plans.find(({ mebibytes }) => mebibytes * MIB === memoryBytes)?.name ?? name;
}

/** By this API's name or the platform's own. Throws invalid `unknown-size`. */
export async function findSize(core: Core, name: string): Promise<Size> {
  const sizes = await offered(core);
  const size = sizes.find((item) => shownSize(item) === name) ?? sizes.find((item) => item.name === name);
  if (size === undefined)
    throw new BerthError('invalid', `the size ${JSON.stringify(name)} is not known`, {
      field: 'size',
      code: 'unknown-size',
    });
  return size;
}

/** Of sizes with the same memory the one that is not for production comes first: it costs less. */
async function offered(core: Core): Promise<readonly Size[]> {
  const sizes = await core.sizes.list(systemActor);
  return sizes
    .filter(({ deprecated }) => !deprecated)
    .toSorted((a, b) => a.memoryBytes - b.memoryBytes || a.priceCents - b.priceCents);
}

export function sizeShape(size: Size) {
  const at = plans.findIndex(({ mebibytes }) => mebibytes * MIB === size.memoryBytes);
  const plan = plans[at];
  const name = shownSize(size);
  const hourly = plan?.centsPerHour ?? Math.round(size.memoryBytes / (256 * MIB));
  return {
    id: shortId(size.id),
    sku: `container-${name.toLowerCase()}`,
    name,
    human_name: name,
    human_cpu: plan?.cpu ?? 'Standard',
    memory: size.memoryBytes,
    swap: size.memoryBytes * SWAP_FACTOR,
    pids_limit: size.pids,
    hourly_price: hourly,
    thirtydays_price: hourly * HOURS_OF_30_DAYS,
    ordinal: FIRST_ORDINAL + Math.max(0, at),
  };
}

/** By size id: how the containers of an app show theirs. */
export async function sizeShapes(core: Core, actor: Actor): Promise<ReadonlyMap<string, ReturnType<typeof sizeShape>>> {
  return new Map((await core.sizes.list(actor)).map((size) => [size.id, sizeShape(size)]));
}

export function sizeRoutes({ core }: ScalingoParts): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/features/container_sizes',
      access: 'public',
      respond: async (_request, reply) => {
        const sizes = await offered(core);
        const shown = plans.flatMap(({ mebibytes }) => {
          const size = sizes.find(({ memoryBytes }) => memoryBytes === mebibytes * MIB);
          return size === undefined ? [] : [sizeShape(size)];
        });
        return reply.header('content-type', 'application/json').send(JSON.stringify({ container_sizes: shown }));
      },
    },
  ];
}
