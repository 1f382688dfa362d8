/** An app that asks its database what a test wants to know, with a real PostgreSQL client in its source. */
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import type { TestPlatform } from './platform.ts';
import { ask } from './request.ts';

const server = `const { Client } = require('./lib/node_modules/pg');
async function answer(request) {
  const { searchParams } = new URL(request.url, 'http://app');
  const connectionString = process.env[searchParams.get('variable') || 'DATABASE_URL'];
  if (connectionString === undefined) return { missing: true };
  const client = new Client({ connectionString, connectionTimeoutMillis: 5000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return { host: new URL(connectionString).hostname, rows: (await client.query(searchParams.get('sql'))).rows };
  } catch (error) {
    return { error: error.message, code: error.code };
  } finally {
    await client.end().catch(() => {});
  }
}
require('node:http').createServer(async (request, response) => {
  response.end(JSON.stringify(await answer(request)));
}).listen(process.env.PORT);
`;

export interface DatabaseAnswer {
  /** The app has no such variable. */
  readonly missing?: true;
  readonly host?: string;
  readonly rows?: readonly Readonly<Record<string, unknown>>[];
  readonly error?: string;
  readonly code?: string;
}

/** Its source, with the client and all that it needs. */
export async function databaseApp(): Promise<Readonly<Record<string, string>>> {
  const files: Record<string, string> = {
    Procfile: 'web: node server.js\n',
    'package.json': '{"name":"database-app","private":true}',
    'server.js': server,
  };
  await addPackage('pg', import.meta.url, files, new Set());
  return files;
}

async function addPackage(name: string, from: string, files: Record<string, string>, seen: Set<string>): Promise<void> {
  if (seen.has(name)) return;
  seen.add(name);
  const manifest = manifestOf(name, from);
  const root = dirname(manifest);
  for (const path of await readdir(root, { recursive: true })) {
    if (!/\.(?:c?js|json)$/.test(path) || path.split('/').includes('node_modules')) continue;
    files[join('lib/node_modules', name, path)] = await readFile(join(root, path), 'utf8');
  }
  const { dependencies = {} } = JSON.parse(await readFile(manifest, 'utf8')) as {
    dependencies?: Readonly<Record<string, string>>;
  };
  for (const dependency of Object.keys(dependencies)) await addPackage(dependency, manifest, files, seen);
}

/** Packages need not export their manifest: it lies in the nearest folder of the package's name. */
function manifestOf(name: string, from: string): string {
  const entry = createRequire(from).resolve(name);
  const marker = `/node_modules/${name}/`;
  const root = entry.slice(0, entry.lastIndexOf(marker) + marker.length);
  if (relative(root, entry).startsWith('..')) throw new Error(`${name} lies in no folder of its name`);
  return join(root, 'package.json');
}

/** Runs a statement in the app, by the URL in one of its variables. */
export async function askDatabase(
  platform: Pick<TestPlatform, 'routerPort' | 'hostOf'>,
  handle: string,
  sql: string,
  variable = 'DATABASE_URL',
): Promise<DatabaseAnswer> {
  const query = new URLSearchParams({ sql, variable });
  const { status, body } = await ask(platform, handle, `/?${query}`, 30_000);
  if (status !== 200) throw new Error(`the app answered ${status}: ${body}`);
  return JSON.parse(body) as DatabaseAnswer;
}
