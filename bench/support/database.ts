/** A plain connection to a running platform's embedded database, for seeding and for peers that ask the same rows. */
import pg from 'pg';
import { silentLogger } from '../../src/lib/logger.ts';
import { type EmbeddedConnection, startEmbeddedPostgres } from '../../src/store/embedded/start.ts';
import type { TestPlatform } from '../../test/support/platform.ts';

/** How to connect; the server that runs is adopted, not started. */
export async function connectionOf(platform: Pick<TestPlatform, 'dataFolder'>): Promise<EmbeddedConnection> {
  const server = await startEmbeddedPostgres({ dataFolder: platform.dataFolder, logger: silentLogger });
  return server.connection;
}

/**
 * Inserts apps `<prefix>0001` … of the default team and space, each with one process `web` of quantity 0, as the API would leave them
 * but for their variables and events.
 */
export async function seedApps(connection: EmbeddedConnection, prefix: string, count: number): Promise<void> {
  const client = new pg.Client({ ...connection });
  await client.connect();
  try {
    await client.query(
      `with made as (
         insert into apps (id, name, handle, team_id, space_id, pool_id, description, labels, features, maintenance, stopped,
           restart_generation, created_by, created_at, updated_at)
         select gen_random_uuid(), named, named, (select id from teams where name = 'main'), spaces.id, spaces.pool_id,
           'seeded', '{}', '{}', false, false, 0, 'bench', now(), now()
         from spaces, generate_series(1, $2::int) as n, lateral (select $1 || lpad(n::text, 4, '0') as named) as names
         where spaces.name = 'default' and spaces.team_id is null
         returning id)
       insert into processes (id, app_id, type, quantity, size_id, routed, restart_generation, created_at, updated_at)
       select gen_random_uuid(), made.id, 'web', 0, (select id from sizes order by is_default desc limit 1), true, 0, now(), now()
       from made`,
      [prefix, count],
    );
    await client.query('analyze apps, processes');
  } finally {
    await client.end();
  }
}
