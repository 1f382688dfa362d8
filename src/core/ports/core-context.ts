/** What every service is made of. */
import type { QuotaKind } from '../quotas/quota.ts';
import type { Clock, Ids } from './clock.ts';
import type { Database } from './database.ts';
import type { Images } from './images.ts';
import type { SecretBox } from './secret.ts';

export interface CoreContext {
  readonly db: Database;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly box: SecretBox;
  /** Null or absent: nothing here runs images that were not built here. */
  readonly images?: Images | null;
  /** For whoever has no limit of their own; absent, or -1: none. */
  readonly defaultQuotas?: Readonly<Record<QuotaKind, number>>;
}
