import type { Id } from '../names.ts';
import type { CoreContext } from '../ports/core-context.ts';
export type QuotaKind = 'apps' | 'instances';
export interface Quota {
  readonly subject: 'team' | 'user' | 'app';
  readonly subjectId: Id;
  readonly kind: QuotaKind;
  /** -1: none. */
  readonly limit: number;
}
export interface QuotaStore {
  find(subject: Quota['subject'], subjectId: Id, kind: QuotaKind): Promise<Quota | null>;
  set(quota: Quota): Promise<void>;
}

/** The limit of the subject's own, else the platform's; -1: none. */
export async function limitOf(
  { defaultQuotas }: CoreContext,
  { quotas }: { readonly quotas: QuotaStore },
  { subject, subjectId, kind }: Omit<Quota, 'limit'>,
): Promise<number> {
  return (await quotas.find(subject, subjectId, kind))?.limit ?? defaultQuotas?.[kind] ?? -1;
}
