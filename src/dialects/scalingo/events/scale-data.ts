/** A formation as scale events show it. */
import { isObject } from '../fields.ts';
import { shownSize } from '../sizes.ts';

/** By type: the amount, or `amount:SIZE` as text. */
export function formation(
  processes: Readonly<Record<string, unknown>>,
  asText: boolean,
): Record<string, number | string> {
  const entries = Object.entries(processes).flatMap(([type, process]): [string, number | string][] => {
    if (!isObject(process)) return [];
    const { quantity, size, memoryBytes } = process;
    if (typeof quantity !== 'number') return [];
    if (!asText || typeof size !== 'string' || typeof memoryBytes !== 'number') return [[type, quantity]];
    return [[type, `${quantity}:${shownSize({ name: size, memoryBytes })}`]];
  });
  return Object.fromEntries(entries);
}
