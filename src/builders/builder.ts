/**
 * The Builder: sources in, artifacts out. By Berth's own buildpacks and classic ones, which need no container engine; of Dockerfiles and
 * images where there is one. Makes a workspace for each build and leaves nothing of it behind, however the build ends.
 */
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Builder, BuildInput, BuildOutput } from '../core/ports/builder.ts';
import { BuildFailure } from '../core/ports/builder.ts';
import type { Clock, Ids } from '../core/ports/clock.ts';
import type { Images, RegistryCredentials } from '../core/ports/images.ts';
import type { LogStore } from '../core/ports/log-store.ts';
import type { Sandbox } from '../core/ports/sandbox.ts';
import type { Dialer } from '../lib/dialer.ts';
import type { Logger } from '../lib/logger.ts';
import { ArtifactStore } from './artifacts/artifact-store.ts';
import { removeTree } from './artifacts/remove-tree.ts';
import { SourceIndex } from './artifacts/source-index.ts';
import { createBlobFolder } from './blob-folder.ts';
import { BuildCaches } from './build-caches.ts';
import { createBuildLog } from './build-log.ts';
import { type BuildParts, runBuild } from './build-run.ts';
import { type BuildLimits, defaultLimits } from './limits.ts';

export interface BuilderOptions {
  /** `$BERTH_DATA`. Uses `artifacts`, `blobs`, `builds`, `build-caches`, `build-index` and `buildpacks` below it. */
  readonly dataFolder: string;
  readonly sandbox: Sandbox;
  /** Null: the engine runs no images, so Dockerfiles and images are no sources. Default null. */
  readonly images?: Images | null;
  /** What an app's team signs in with to a registry of images. Default: nothing. */
  readonly credentials?: (appId: string, host: string) => Promise<RegistryCredentials | null>;
  readonly logs: LogStore;
  readonly dialer: Dialer;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  /** A keyed digest (`SecretBox.digest`): an earlier build is found by the config it had without keeping that config. */
  readonly digestOf: (text: string) => string;
  readonly limits?: Partial<BuildLimits>;
  /** False where the sandbox cannot give jobs a file system of their own (the engine's isolation of `files`). Asked at each build; default true. */
  readonly ownFileSystem?: boolean | (() => Promise<boolean>);
}

export function createBuilder(options: BuilderOptions): Builder {
  const { dataFolder, sandbox, clock, ids, logger, images = null } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const artifacts = new ArtifactStore({ dataFolder, clock, ids });
  const index = new SourceIndex(dataFolder, ids);
  const caches = new BuildCaches(dataFolder, clock, ids);
  const buildsFolder = join(dataFolder, 'builds');
  const running = new Set<string>();
  const parts: Omit<BuildParts, 'ownFileSystem'> = {
    sandbox,
    dialer: options.dialer,
    images,
    credentials: options.credentials ?? (async () => null),
    blobs: createBlobFolder({ dataFolder, clock, ids }),
    artifacts,
    index,
    caches,
    limits,
    buildpackFolder: join(dataFolder, 'buildpacks'),
    digestOf: options.digestOf,
  };

  const ownFileSystem = async (): Promise<boolean> =>
    typeof options.ownFileSystem === 'function' ? options.ownFileSystem() : (options.ownFileSystem ?? true);

  /** A server that died in this build left jobs and files: the build starts over without them. */
  async function clearRemains(buildId: string, workspace: string): Promise<boolean> {
    if ((await stat(workspace).catch(() => null)) === null) return false;
    for (const job of await sandbox.jobs()) if (job.startsWith(`build-${buildId}-`)) await sandbox.kill(job);
    await removeTree(workspace);
    return true;
  }

  async function build(input: BuildInput, signal: AbortSignal): Promise<BuildOutput> {
    signal.throwIfAborted();
    const workspace = join(buildsFolder, input.buildId);
    if (running.has(input.buildId)) throw new Error(`build ${input.buildId} runs already`);
    running.add(input.buildId);
    const log = createBuildLog(options.logs, input.logStream, clock);
    try {
      await mkdir(buildsFolder, { recursive: true, mode: 0o711 });
      const again = await clearRemains(input.buildId, workspace);
      await mkdir(workspace, { mode: 0o711 });
      // An ended job keeps its id, so a build that starts over needs other ones.
      const jobPrefix = `build-${input.buildId}${again ? `-${ids.token(4)}` : ''}`;
      return await runBuild(
        input,
        { ...parts, ownFileSystem: await ownFileSystem() },
        { workspace, jobPrefix, log },
        signal,
      );
    } catch (error) {
      // Why it was aborted says who aborted it.
      if (!signal.aborted)
        log.warning(
          error instanceof BuildFailure
            ? `${error.message} (${error.code})`
            : 'The build failed through a fault of the platform',
        );
      await log.flush().catch((cause) => logger.warn({ err: cause, buildId: input.buildId }, 'build log not written'));
      throw error;
    } finally {
      await cleanUp(input, workspace);
      running.delete(input.buildId);
    }
  }

  async function cleanUp(input: BuildInput, workspace: string): Promise<void> {
    try {
      const cache = join(workspace, 'cache');
      if ((await stat(cache).catch(() => null)) !== null) await caches.giveBack(input.appId, cache);
      await removeTree(workspace);
    } catch (error) {
      // The outcome stands; `prune` tries again.
      logger.warn({ err: error, buildId: input.buildId }, 'build workspace not removed');
    }
  }

  /** Workspaces of builds that nobody runs any more. */
  async function pruneWorkspaces(): Promise<void> {
    const oldest = clock.now().getTime() - limits.buildMs - limits.fetchMs - limits.pruneGraceMs;
    for (const name of await readdir(buildsFolder).catch(() => [] as string[])) {
      const path = join(buildsFolder, name);
      const stats = await stat(path).catch(() => null);
      if (!running.has(name) && stats !== null && stats.mtimeMs < oldest) await removeTree(path);
    }
  }

  return {
    build,
    hasArtifact: async (digest) =>
      isTree(digest) ? (await artifacts.get(digest)) !== null : (await images?.has(digest)) === true,
    clearCache: (appId) => caches.remove(appId),
    async prune(keep) {
      const { removed, freedBytes } = await artifacts.prune(keep, limits.pruneGraceMs);
      await index.prune(async (digest) => (await artifacts.get(digest)) !== null);
      const freedCaches = await caches.prune(limits.cacheBytes);
      await pruneWorkspaces();
      return { removed, freedBytes: freedBytes + freedCaches };
    },
  };
}

/** Others are images. */
const isTree = (digest: string): boolean => digest.startsWith('sha256:');
