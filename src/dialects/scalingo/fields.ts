/** Reads fields of JSON bodies: rooted as the documents demand, and leniently where clients send whole structs with empty fields. */
import { unprocessable } from './errors.ts';

export type Fields = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The fields of the body itself; none for an empty one. Throws 422 for a list or a bare value. */
export function fieldsOf(body: unknown): Fields {
  if (body === undefined || body === null) return {};
  if (!isObject(body)) throw unprocessable('base', 'should be a JSON object');
  return body;
}

/** What lies under the body's root key. Throws 422 `missing field`. */
export function rooted(body: unknown, root: string): Fields {
  const value = fieldsOf(body)[root];
  if (!isObject(value)) throw unprocessable(root, 'missing field');
  return value;
}

/** As `rooted`, or the body itself: some clients leave the root out. */
export function rootedOrBare(body: unknown, root: string): Fields {
  const fields = fieldsOf(body);
  const value = fields[root];
  return isObject(value) ? value : fields;
}

/** What is a list of objects under the body's root key. Throws 422 `missing field`, or for an element that is none. */
export function rootedList(body: unknown, root: string): readonly Fields[] {
  const value = fieldsOf(body)[root];
  if (!Array.isArray(value)) throw unprocessable(root, 'missing field');
  return value.map((item: unknown) => {
    if (!isObject(item)) throw unprocessable(root, 'should be a list of objects');
    return item;
  });
}

/** A text; undefined when absent or null. Throws 422 for anything else. */
export function text(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw unprocessable(name, 'should be a string');
  return value;
}

/** As `text`, and undefined also for an empty one, which is how the older clients say nothing. */
export function said(fields: Fields, name: string): string | undefined {
  const value = text(fields, name);
  return value === '' ? undefined : value;
}

/** A text with something in it. Throws 422 `missing field`. */
export function needed(fields: Fields, name: string): string {
  const value = text(fields, name);
  if (value === undefined || value.trim() === '') throw unprocessable(name, 'missing field');
  return value;
}
