/** Keyset paging: a cursor is the sort key of the last row, opaque to callers. */
import { invalid } from '../core/errors.ts';
import type { Page, PageRequest } from '../core/ports/page.ts';

const MAX_LIMIT = 1000;

/** The limit of a page; throws `invalid` outside 1…1000. */
export function limitOf(page: PageRequest): number {
  if (!Number.isInteger(page.limit) || page.limit < 1 || page.limit > MAX_LIMIT)
    throw invalid('limit', `limit must be 1 to ${MAX_LIMIT}`, 'out-of-range');
  return page.limit;
}

const encode = (key: readonly (string | number)[]): string => Buffer.from(JSON.stringify(key)).toString('base64url');

/** The sort key in a cursor, or null for the first page. Throws `invalid` for a text that is no cursor of this list. */
export function keyOf<const K extends readonly ('string' | 'number')[]>(
  page: PageRequest,
  ...types: K
): { [I in keyof K]: K[I] extends 'string' ? string : number } | null {
  if (page.after === undefined) return null;
  const wrong = invalid('after', 'this is not the cursor of a page', 'malformed');
  let key: unknown;
  try {
    key = JSON.parse(Buffer.from(page.after, 'base64url').toString('utf8'));
  } catch {
    throw wrong;
  }
  if (!Array.isArray(key) || key.length !== types.length) throw wrong;
  const fits = (part: unknown, type: 'string' | 'number'): boolean =>
    type === 'number' ? Number.isSafeInteger(part) : typeof part === 'string' && !part.includes('\0');
  if (!types.every((type, index) => fits(key[index], type))) throw wrong;
  return key as { [I in keyof K]: K[I] extends 'string' ? string : number };
}

/** Cuts what was read with `limit + 1` into a page. */
export function pageOf<T>(rows: readonly T[], limit: number, key: (row: T) => readonly (string | number)[]): Page<T> {
  if (rows.length <= limit) return { items: rows, next: null };
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: last === undefined ? null : encode(key(last)) };
}
