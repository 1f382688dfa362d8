import type { Id } from '../names.ts';
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
