/** The PostgreSQL server of add-ons as the platform starts it, one for a whole test file. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { silentLogger } from '../../src/lib/logger.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/store/embedded/start.ts';

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
  const port = await freePort();
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

/** Below the range that the kernel takes outgoing ports from. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 9_000);
    const free = await new Promise<boolean>((resolve) => {
      const probe = createServer();
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
    if (free) return port;
  }
}
