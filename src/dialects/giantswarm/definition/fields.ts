/** Reads JSON into what the definition's parts need. All of them throw WrongInput with the place, and nothing else. */
import type { JsonObject, JsonValue } from './definition.ts';
import { type Place, quoted } from './place.ts';

export interface Keys {
  readonly required: readonly string[];
  readonly optional: readonly string[];
  /** Camel and upper case spellings count too (`appName`, `ComponentName`). */
  readonly anySpelling: boolean;
}
/** By the spelling of `Keys`; what was null is absent. */
export type Fields = ReadonlyMap<string, unknown>;

export function fieldsOf(value: unknown, place: Place, keys: Keys): Fields {
  const known = new Set([...keys.required, ...keys.optional]);
  const fields = new Map<string, unknown>();
  for (const [given, item] of Object.entries(objectOf(value, place))) {
    const key = keys.anySpelling ? spelled(given, known) : given;
    if (!known.has(key)) throw place.at(key).wrong('unknown key');
    if (item === null || item === undefined) continue;
    if (fields.has(key)) throw place.at(key).wrong('given twice, in several spellings');
    fields.set(key, item);
  }
  for (const key of keys.required) if (!fields.has(key)) throw place.at(key).wrong('missing, but required');
  return fields;
}

/** `ComponentName` and `COMPONENT_NAME` are `component_name`; `VolumesFrom` is `volumes-from`. */
export function spelled(given: string, known: ReadonlySet<string>): string {
  if (known.has(given)) return given;
  const snake = given.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
  const dashed = snake.replaceAll('_', '-');
  return !known.has(snake) && known.has(dashed) ? dashed : snake;
}

export function objectOf(value: unknown, place: Place): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw place.wrong('must be an object');
  return value as Record<string, unknown>;
}

export function listOf(value: unknown, place: Place): readonly unknown[] {
  if (!Array.isArray(value)) throw place.wrong('must be an array');
  return value;
}

const maxFew = 100;

/** A list of things that belong together with others, which is why there must not be many. */
export function fewOf(value: unknown, place: Place): readonly unknown[] {
  const list = listOf(value, place);
  if (list.length > maxFew) throw place.wrong(`must not have more than ${maxFew} entries`);
  return list;
}

/** Text that can be stored and handed to a process: no NUL, no half of a surrogate pair. */
export function textOf(value: unknown, place: Place): string {
  if (typeof value !== 'string') throw place.wrong('must be a string');
  if (value.includes('\0') || !value.isWellFormed()) throw place.wrong('must be text without NUL');
  return value;
}

/** Undefined where the key is absent or its text empty, which say the same. */
export function optionalText(fields: Fields, key: string, place: Place): string | undefined {
  const value = fields.get(key);
  const text = value === undefined ? '' : textOf(value, place.at(key));
  return text === '' ? undefined : text;
}

/** False when absent. */
export function flagOf(fields: Fields, key: string, place: Place): boolean {
  const value = fields.get(key) ?? false;
  if (typeof value !== 'boolean') throw place.at(key).wrong('must be true or false');
  return value;
}

const name = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/;

/** The name of an app, service, component or pod. */
export function nameOf(value: unknown, place: Place): string {
  const text = textOf(value, place);
  if (text === '') throw place.wrong('missing, but required');
  if (!name.test(text)) throw place.wrong(`${quoted(text)} must be at most 100 letters, digits and inner . _ -`);
  return text;
}

/** An object with its keys in the order given here; what is absent, empty or false is left out. */
export function compact(entries: readonly (readonly [string, JsonValue | undefined])[]): JsonObject {
  return Object.fromEntries(
    entries.filter((entry): entry is readonly [string, JsonValue] => entry[1] !== undefined && !isEmpty(entry[1])),
  );
}

const isEmpty = (value: JsonValue): boolean =>
  value === '' || value === false || value === null || (typeof value === 'object' && Object.keys(value).length === 0);

export const byKey = (a: readonly [string, unknown], b: readonly [string, unknown]): number =>
  a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
