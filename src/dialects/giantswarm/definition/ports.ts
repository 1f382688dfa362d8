/** Ports: `80`, `"80"` or `"80/tcp"`. Other protocols are known but not offered. What is shown again keeps the style it was given in. */
import type { JsonValue } from './definition.ts';
import { fewOf } from './fields.ts';
import { type Place, quoted } from './place.ts';

export interface ReadPort {
  readonly number: number;
  readonly json: string | number;
}

const form = /^([1-9][0-9]{0,4})(?:\/([a-z]+))?$/;

/** Whether a key can only be meant as a port: no host name looks like this. */
export const looksLikePort = (key: string): boolean => /^[0-9]+(?:\/.*)?$/.test(key);

export function readPort(value: unknown, place: Place): ReadPort {
  if (typeof value !== 'string' && typeof value !== 'number') throw place.wrong('must be a port');
  const [, digits, protocol] = form.exec(String(value)) ?? [];
  const number = Number(digits ?? Number.NaN);
  if (!(number <= 65_535))
    throw place.wrong(`${quoted(String(value))} must be a port from 1 to 65535, like 80 or "80/tcp"`);
  if (protocol !== undefined && protocol !== 'tcp') throw place.wrong('only tcp ports are allowed');
  return { number, json: value };
}

/** A list, or one bare value. */
export function readPorts(value: unknown, place: Place): { numbers: readonly number[]; json: readonly JsonValue[] } {
  const ports = Array.isArray(value)
    ? fewOf(value, place).map((item, index) => readPort(item, place.at(index)))
    : [readPort(value, place)];
  return { numbers: [...new Set(ports.map((port) => port.number))], json: ports.map((port) => port.json) };
}
