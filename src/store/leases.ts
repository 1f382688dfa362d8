import { type Kysely, sql } from 'kysely';
import type { LeaseStore } from '../core/operations/operation.ts';
import type { Schema } from './schema.ts';

/** Named leases by the database's clock. */
export function createLeaseStore(db: Kysely<Schema>): LeaseStore {
  return {
    /** Also prolongs one that is held already. */
    async acquire(name, holder, leaseMs) {
      const { rows } = await sql`
        insert into leases (name, holder, lease_until)
        values (${name}, ${holder}, clock_timestamp() + ${leaseMs}::float8 * interval '1 millisecond')
        on conflict (name) do update set holder = excluded.holder,
          lease_until = clock_timestamp() + ${leaseMs}::float8 * interval '1 millisecond'
        where leases.holder = excluded.holder or leases.lease_until < clock_timestamp()
        returning name`.execute(db);
      return rows.length > 0;
    },
    async release(name, holder) {
      await db.deleteFrom('leases').where('name', '=', name).where('holder', '=', holder).execute();
    },
  };
}
