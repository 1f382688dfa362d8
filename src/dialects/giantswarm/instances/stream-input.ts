/** The body that a stream's token is asked with. */
import { wrongInput } from '../errors.ts';

export interface StreamInput {
  /** Ids or their beginnings; null: all of the organization's. */
  readonly instances: readonly string[] | null;
  readonly intervalMs: number;
}

const MOST_INSTANCES = 100;
const SHORTEST_SECONDS = 2;
const LONGEST_SECONDS = 3600;

/** Clients may send nothing at all, which asks for all. Throws 10013. */
export function parseStream(body: unknown): StreamInput {
  const fields = typeof body === 'object' && body !== null ? (body as Readonly<Record<string, unknown>>) : {};
  if (body !== undefined && body !== null && (typeof body !== 'object' || Array.isArray(body)))
    throw wrongInput('the body must be an object');
  return { instances: instancesOf(fields.instances), intervalMs: intervalOf(fields.interval) * 1000 };
}

function instancesOf(value: unknown): readonly string[] | null {
  if (value === undefined || value === null) return null;
  const items: readonly unknown[] = Array.isArray(value) ? value : [null];
  const names = items.filter((item) => typeof item === 'string');
  if (names.length < items.length) throw wrongInput('["instances"]: must be an array of ids');
  if (names.length > MOST_INSTANCES) throw wrongInput(`["instances"]: must not be more than ${MOST_INSTANCES}`);
  return names.length === 0 ? null : names;
}

function intervalOf(value: unknown): number {
  if (value === undefined || value === null) return SHORTEST_SECONDS;
  if (typeof value !== 'number' || !(value >= SHORTEST_SECONDS && value <= LONGEST_SECONDS))
    throw wrongInput(`["interval"]: must be a number of seconds from ${SHORTEST_SECONDS} to ${LONGEST_SECONDS}`);
  return value;
}
