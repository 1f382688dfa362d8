/** The PostgreSQL server of add-ons as the platform starts it, one for a whole test file. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { silentLogger } from '../../src/lib/logger.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/store/embedded/start.ts';
import { claimPort } from './ports.ts';

export interface AddonServer {
  readonly server: EmbeddedPostgres;
  readonly folder: string;
  readonly port: number;
}

let starting: Promise<AddonServer> | null = null;

after(async () => {
  const made = await starting?.catch(() => null);
  if (!made) return;
  await made.server.stop();
  await rm(made.folder, { recursive: true, force: true });
});

export function addonServer(): Promise<AddonServer> {
  starting ??= start();
  return starting;
}

async function start(): Promise<AddonServer> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-addon-server-'));
  const port = await claimPort();
  const server = await startEmbeddedPostgres({
    dataFolder: folder,
    logger: silentLogger,
    tcpPort: port,
    durable: false,
    settings: { fsync: 'off' },
    ...(process.env.PATH === undefined ? {} : { path: process.env.PATH }),
  });
  return { server, folder, port };
}
