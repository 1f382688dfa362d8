/** What every service is made of. */
import type { Clock, Ids } from './clock.ts';
import type { Database } from './database.ts';
import type { SecretBox } from './secret.ts';

export interface CoreContext {
  readonly db: Database;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly box: SecretBox;
}
