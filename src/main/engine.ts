/** What runs instances and what runs builds, as the settings say. With Docker, builds still have the agent's sandbox on this machine. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Database } from '../core/ports/database.ts';
import type { Engine } from '../core/ports/engine.ts';
import type { Images } from '../core/ports/images.ts';
import type { Sandbox } from '../core/ports/sandbox.ts';
import type { DockerEngine } from '../engines/docker/engine.ts';
import { createPooledEngine } from '../engines/pooled-engine.ts';
import { createProcessEngine } from '../engines/process/client.ts';
import { addonHostPort } from './addon-settings.ts';
import { dockerHostOf, usesDocker } from './docker-settings.ts';
import { hostEnvironment } from './host-environment.ts';
import { ownAddresses } from './own-addresses.ts';
import type { ProcessParts } from './process-parts.ts';
import { registryRules } from './registry-settings.ts';
import { readTlsFolder } from './tls-folder.ts';

export interface Engines {
  readonly engine: Engine;
  readonly sandbox: Sandbox;
  /** Null: nothing here runs images. */
  readonly images: Images | null;
  /** Whether builds see only their own files. */
  readonly hasOwnFileSystem: () => Promise<boolean>;
  close(): Promise<void>;
}

export interface EngineUse {
  readonly carriesOutput: boolean;
  /** Says which engine a pool has, and what images are pulled with. Null: nothing is started, only looked at. */
  readonly db: Pick<Database, 'pools' | 'spaces' | 'apps' | 'builds' | 'registries'> | null;
}

/** The engines of all pools as one. Throws invalid when the settings do not fit each other. */
export async function openEngines(parts: ProcessParts, { carriesOutput, db }: EngineUse): Promise<Engines> {
  const { settings, folder, logger } = parts;
  const agent = createProcessEngine({ socketPath: folder.agentSocket, logger });
  const docker = usesDocker(settings) ? await openDockerEngine(parts, { carriesOutput, db }) : null;
  const kindOfPool = async (id: string): Promise<string | null> => (await db?.pools.find(id))?.engine ?? null;
  return {
    engine: createPooledEngine({
      engines: docker === null ? { process: agent } : { docker, process: agent },
      fallback: settings.engine,
      kindOfPool,
      async kindOfSpace(id) {
        const space = await db?.spaces.find(id, null);
        return space == null ? null : kindOfPool(space.poolId);
      },
    }),
    sandbox: agent,
    images: docker?.images ?? null,
    hasOwnFileSystem: async () =>
      (await agent.describe()).isolation.some(({ what, inForce }) => what === 'files' && inForce),
    async close(): Promise<void> {
      await docker?.close();
      agent.close();
    },
  };
}

/** One process of an install `carriesOutput` of instances to the logs. Loaded only where it is used. */
export async function openDockerEngine(
  { settings, folder, logger, logs, clock }: Pick<ProcessParts, 'settings' | 'folder' | 'logger' | 'logs' | 'clock'>,
  { carriesOutput, db = null }: { readonly carriesOutput: boolean; readonly db?: EngineUse['db'] },
): Promise<DockerEngine> {
  const { createDockerEngine } = await import('../engines/docker/engine.ts');
  const tls = settings.dockerTlsFolder === '' ? null : readTlsFolder(settings.dockerTlsFolder, 'BERTH_DOCKER_TLS');
  return createDockerEngine({
    host: dockerHostOf(settings),
    ...(tls === null ? {} : { tls }),
    installId: createHash('sha256').update(folder.root).digest('hex').slice(0, 12),
    stateFolder: join(folder.root, 'docker'),
    artifactFolder: join(folder.root, 'artifacts'),
    addressPool: settings.dockerAddressPool,
    advertiseAddress: settings.dockerAdvertiseAddress,
    routes: true,
    refuse: ownAddresses(),
    routers: settings.dockerRouters.split(',').filter(Boolean),
    allowHostPorts: [addonHostPort(settings) ?? []].flat(),
    hostEnvironment: hostEnvironment(process.env),
    allowRoot: settings.dockerAllowRoot,
    freeSpaceFloorBytes: settings.dockerFreeSpaceGibibytes * 2 ** 30,
    registries: registryRules(settings, db),
    logAppender: carriesOutput ? logs : null,
    logger,
    clock,
  });
}
