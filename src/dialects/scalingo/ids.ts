/** Ids as this API shows them: 24 hex digits. Those of rows are `shortId` of the core, which finds apps and operations by them. */
import { hash } from 'node:crypto';
import { notFound } from '../../core/errors.ts';
import { shortId } from '../../core/names.ts';

/** For what has no row of its own: always the same for the same parts. */
export const derivedId = (...parts: readonly string[]): string =>
  hash('sha256', JSON.stringify(parts), 'hex').slice(0, 24);

/** Of a list that the caller may see, the item with this id, short or whole. Throws `not-found`. */
export function byShownId<T extends { readonly id: string }>(noun: string, items: readonly T[], reference: string): T {
  const found = items.find(({ id }) => id === reference || shortId(id) === reference);
  if (found === undefined) throw notFound(noun, reference);
  return found;
}
