/** Reads fields of a JSON body, as leniently as this API's clients need: numbers and flags may arrive as text. */
import { Refusal } from './errors.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** An absent body has no fields. Throws a 422 refusal for a list or a bare value. */
export function fieldsOf(body: unknown): Fields {
  if (body === undefined || body === null) return {};
  if (typeof body !== 'object' || Array.isArray(body)) throw new Refusal(422, 'The body must be a JSON object.');
  return body as Fields;
}

/** Text, or a number as text; undefined when absent, null or of another kind. */
export function text(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' ? value : undefined;
}

/** NaN for what is given but no whole number. */
export function whole(fields: Fields, name: string): number | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number') return Number.isInteger(value) ? value : Number.NaN;
  return typeof value === 'string' && /^-?\d{1,9}$/.test(value.trim()) ? Number(value) : Number.NaN;
}

export function flag(fields: Fields, name: string): boolean | undefined {
  const value = fields[name];
  if (typeof value === 'boolean') return value;
  return value === 'true' ? true : value === 'false' ? false : undefined;
}
