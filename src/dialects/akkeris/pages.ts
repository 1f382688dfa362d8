import type { Page, PageRequest } from '../../core/ports/page.ts';

const PAGE_LIMIT = 1000;

/** This API has no paging: all pages of a list, in its order. */
export async function allPages<T>(read: (page: PageRequest) => Promise<Page<T>>): Promise<readonly T[]> {
  const first = await read({ limit: PAGE_LIMIT });
  const items = [...first.items];
  for (let after = first.next; after !== null; ) {
    const page = await read({ limit: PAGE_LIMIT, after });
    items.push(...page.items);
    after = page.next;
  }
  return items;
}
