import { hash } from 'node:crypto';

/** The dialect's id for a thing that has only a name: the second half of the name's SHA-256, in the form of a UUID. */
export function derivedId(name: string): string {
  const hex = hash('sha256', name, 'hex').slice(32);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
