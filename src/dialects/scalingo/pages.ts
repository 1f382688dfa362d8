/** Paging as this API shows it, by page numbers; and the core's pages read to their end where it has none. */
import type { Page, PageRequest } from '../../core/ports/page.ts';
import { type Call, queried } from './call.ts';

const READ_LIMIT = 1000;

/** All pages of a list, in its order. */
export async function allPages<T>(read: (page: PageRequest) => Promise<Page<T>>): Promise<readonly T[]> {
  const first = await read({ limit: READ_LIMIT });
  const items = [...first.items];
  for (let after = first.next; after !== null; ) {
    const page = await read({ limit: READ_LIMIT, after });
    items.push(...page.items);
    after = page.next;
  }
  return items;
}

export interface PageAsked {
  /** From 1. */
  readonly page: number;
  readonly perPage: number;
}

export interface PageSizes {
  readonly usual: number;
  readonly max: number;
}

/** `page` and `per_page` of the query; what is no number counts as not said, what is beyond the limits as the limit. */
export function pageAsked(call: Pick<Call, 'query'>, { usual, max }: PageSizes): PageAsked {
  const page = whole(queried(call, 'page')) ?? 1;
  const perPage = whole(queried(call, 'per_page')) ?? usual;
  return { page: Math.max(1, page), perPage: Math.min(max, Math.max(1, perPage)) };
}

const whole = (value: string | undefined): number | undefined =>
  value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : undefined;

/** How many items come before the page. */
export const offsetOf = ({ page, perPage }: PageAsked): number => (page - 1) * perPage;

/** The documents show it flat in one place and below `pagination` in another; clients exist for both. */
export function pageMeta({ page, perPage }: PageAsked, totalCount: number) {
  const totalPages = Math.max(1, Math.ceil(totalCount / perPage));
  const keys = {
    current_page: page,
    prev_page: page > 1 ? Math.min(page - 1, totalPages) : null,
    next_page: page < totalPages ? page + 1 : null,
    total_pages: totalPages,
    total_count: totalCount,
  };
  return { ...keys, pagination: keys };
}

/** One page of what is all in memory, with its meta. */
export function pageOf<T>(items: readonly T[], asked: PageAsked) {
  const offset = offsetOf(asked);
  return { items: items.slice(offset, offset + asked.perPage), meta: pageMeta(asked, items.length) };
}
