/** The sizes of a new install. Names and memory are those that Akkeris users know (Akkeris Apps API, sizes). */
import type { Size } from './size.ts';

const MIB = 1024 * 1024;
const plans: readonly (readonly [name: string, mebibytes: number, price: number, productionPrice: number])[] = [
  ['gp1', 256, 10, 15],
  ['gp2', 512, 20, 25],
  ['gp3', 1024, 30, 35],
  ['gp4', 1536, 40, 45],
  ['mp1', 2048, 50, 55],
  ['mp2', 4096, 55, 55],
];
const PIDS = 512;

/** Every plan and its `-prod` twin; gp1 is the default. `id` gives each its id. */
export function defaultSizes(id: () => string): readonly Size[] {
  return plans.flatMap(([name, mebibytes, price, productionPrice]) =>
    ['', '-prod'].map(
      (suffix): Size => ({
        id: id(),
        name: `${name}${suffix}`,
        description: `${mebibytes} MiB of memory`,
        memoryBytes: mebibytes * MIB,
        cpuShares: Math.max(256, mebibytes),
        pids: PIDS,
        isDefault: name === 'gp1' && suffix === '',
        deprecated: false,
        priceCents: (suffix === '' ? price : productionPrice) * 100,
      }),
    ),
  );
}
