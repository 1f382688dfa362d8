import type { Size } from '../../core/sizes/size.ts';
import { ok, type Route } from './call.ts';
import type { AkkerisParts } from './settings.ts';
import { region } from './stacks.ts';

export function sizeRoutes({ core }: AkkerisParts): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/sizes',
      access: 'plan.read',
      handle: async ({ actor }) => ok((await core.sizes.list(actor)).map(sizeShape)),
    },
  ];
}

/** What the API's own sizes reserve, in Mi, where that is less than their limit. */
const reserved: Readonly<Record<string, number>> = { gp2: 256, gp3: 768, gp4: 1024, mp1: 1536, mp2: 3072 };

function sizeShape(size: Size): unknown {
  const limit = Math.round(size.memoryBytes / 1024 ** 2);
  return {
    stacks: [region.name],
    name: size.name,
    resources: { requests: { memory: `${reserved[size.name] ?? limit}Mi` }, limits: { memory: `${limit}Mi` } },
    price: Math.round(size.priceCents / 100),
    description: size.description,
    deprecated: size.deprecated,
    type: size.name.startsWith('mp') ? 'memory' : 'general purpose',
  };
}
