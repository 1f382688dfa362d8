/** What runs instances and what runs builds, as the settings say. With Docker, builds still have the agent's sandbox on this machine. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BerthError } from '../core/errors.ts';
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
import type { ProcessParts } from './process-parts.ts';
import type { Settings } from './settings.ts';

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
  /** Says which engine a pool has. Null: nothing is started, only looked at. */
  readonly db: Pick<Database, 'pools' | 'spaces'> | null;
}

/** The engines of all pools as one. Throws invalid when the settings do not fit each other. */
export async function openEngines(parts: ProcessParts, { carriesOutput, db }: EngineUse): Promise<Engines> {
  const { settings, folder, logger } = parts;
  const agent = createProcessEngine({ socketPath: folder.agentSocket, logger });
  const docker = usesDocker(settings) ? await openDockerEngine(parts, { carriesOutput }) : null;
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
  { carriesOutput }: { readonly carriesOutput: boolean },
): Promise<DockerEngine> {
  const { createDockerEngine } = await import('../engines/docker/engine.ts');
  const tls = tlsOf(settings);
  return createDockerEngine({
    host: dockerHostOf(settings),
    ...(tls === null ? {} : { tls }),
    installId: createHash('sha256').update(folder.root).digest('hex').slice(0, 12),
    stateFolder: join(folder.root, 'docker'),
    artifactFolder: join(folder.root, 'artifacts'),
    addressPool: settings.dockerAddressPool,
    advertiseAddress: settings.dockerAdvertiseAddress,
    routers: settings.dockerRouters.split(',').filter(Boolean),
    allowHostPorts: [addonHostPort(settings) ?? []].flat(),
    hostEnvironment: hostEnvironment(process.env),
    logAppender: carriesOutput ? logs : null,
    logger,
    clock,
  });
}

/** Files as Docker's own clients name them. */
function tlsOf({ dockerTlsFolder }: Settings) {
  if (dockerTlsFolder === '') return null;
  const read = (name: string): string => {
    try {
      return readFileSync(join(dockerTlsFolder, name), 'utf8');
    } catch (cause) {
      const field = 'BERTH_DOCKER_TLS';
      throw new BerthError('invalid', `${field} must be a folder with ca.pem, cert.pem and key.pem`, { field, cause });
    }
  };
  return { ca: read('ca.pem'), certificate: read('cert.pem'), key: read('key.pem') };
}
