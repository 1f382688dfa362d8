/** What lies in a running platform's database, as text. */
import pg from 'pg';
import { silentLogger } from '../../src/lib/logger.ts';
import { startEmbeddedPostgres } from '../../src/store/embedded/start.ts';
import type { TestPlatform } from './platform.ts';

/** Every row of every table as JSON, one a line, with the table's name before it. Bytes are in hexadecimal. */
export async function databaseDump(platform: TestPlatform): Promise<readonly string[]> {
  // Finds the server that runs already; it is never stopped from here.
  const { connection } = await startEmbeddedPostgres({ dataFolder: platform.dataFolder, logger: silentLogger });
  const client = new pg.Client(connection);
  await client.connect();
  try {
    const tables = await client.query<{ name: string }>(
      "select quote_ident(table_schema) || '.' || quote_ident(table_name) as name from information_schema.tables where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')",
    );
    const lines: string[] = [];
    for (const { name } of tables.rows) {
      const { rows } = await client.query<{ text: string }>(`select to_jsonb(t)::text as text from ${name} t`);
      lines.push(...rows.map(({ text }) => `${name} ${text}`));
    }
    return lines;
  } finally {
    await client.end();
  }
}
