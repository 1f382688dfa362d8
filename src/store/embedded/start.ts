/**
 * A real PostgreSQL server beside the platform, when no other database was given. It outlives a crash of the platform and is adopted by
 * the next start; a crash of its own is mended by `ensure`, which `watch` calls.
 */
import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Logger } from '../../lib/logger.ts';
import { loadOrCreateKey } from '../../lib/secret-box.ts';
import { serverAccount } from './account.ts';
import { findBinaries, reachableBinaries } from './binaries.ts';
import { clusterVersion, initCluster } from './cluster.ts';
import { prepareFolders } from './folders.ts';
import { admitOverNetwork } from './host-access.ts';
import { runningPid } from './postmaster.ts';
import { type EmbeddedPostgres, Server } from './server.ts';

export type { EmbeddedConnection, EmbeddedPostgres } from './server.ts';

export interface EmbeddedOptions {
  /** The platform's data folder; the server's files go to `postgres` in it. */
  readonly dataFolder: string;
  /** Only the programs in this folder; else they are looked for. */
  readonly binFolder?: string;
  /** The PATH to look for programs in, beside the usual places. */
  readonly path?: string;
  readonly logger: Logger;
  /** Settings of the server that win over ours. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Also answers on this port of the loopback, to roles that have a database of their own name and to nobody else. */
  readonly tcpPort?: number;
  /** False: making the cluster does not wait for the disk. Default true. */
  readonly durable?: boolean;
}

/** Makes the cluster at the first start, adopts a server that still runs, else starts it. Resolves when it accepts connections. */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const account = await serverAccount();
  const folders = await prepareFolders(resolve(options.dataFolder), account, options.logger);
  const password = (await loadOrCreateKey(folders.password)).toString('hex');
  const major = await clusterVersion(folders.cluster);
  const found = await findBinaries({
    ...(options.binFolder === undefined ? {} : { binFolder: options.binFolder }),
    ...(options.path === undefined ? {} : { path: options.path }),
    ...(major === null ? {} : { major }),
  });
  const binaries = await reachableBinaries(found, account, folders.base);
  if (major === null) {
    await initCluster({ folders, binaries, account, password, durable: options.durable ?? true });
    options.logger.info({ version: binaries.version, user: account?.name }, 'a database cluster was made');
  }
  const network = options.tcpPort === undefined ? {} : await admitOverNetwork(folders, account, options.tcpPort);
  const server = new Server({
    folders,
    binaries,
    account,
    password,
    logger: options.logger,
    settings: { ...network, ...options.settings },
  });
  await server.ensure();
  return server;
}

/** The server of a data folder where it runs already; null, and nothing is made or started, where it does not. */
export async function adoptEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres | null> {
  const dataFolder = resolve(options.dataFolder);
  const isMade = await access(join(dataFolder, 'postgres')).then(
    () => true,
    () => false,
  );
  if (!isMade) return null;
  const { cluster } = await prepareFolders(dataFolder, await serverAccount(), options.logger);
  return (await runningPid(cluster)) === null ? null : startEmbeddedPostgres(options);
}
