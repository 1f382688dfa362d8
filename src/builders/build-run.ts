/** One build from its archive to its artifact. A new object for each; `builder.ts` makes room before and cleans up after. */
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildFailure, type BuildInput, type BuildOutput } from '../core/ports/builder.ts';
import type { Images, RegistryCredentials } from '../core/ports/images.ts';
import type { Sandbox } from '../core/ports/sandbox.ts';
import type { Dialer } from '../lib/dialer.ts';
import { unpack } from './archives/unpack.ts';
import type { ArtifactStore } from './artifacts/artifact-store.ts';
import type { SourceIndex } from './artifacts/source-index.ts';
import type { BlobFolder } from './blob-folder.ts';
import type { BuildCaches } from './build-caches.ts';
import type { BuildLog } from './build-log.ts';
import type { BuildContext, Buildpack, InsideName } from './buildpacks/buildpack.ts';
import { fetchBuildpack } from './buildpacks/buildpack-url.ts';
import { chooseBuildpack } from './buildpacks/choose.ts';
import { classicBuildpack } from './buildpacks/classic.ts';
import { parseProcfile } from './buildpacks/procfile.ts';
import { buildDockerfile, dockerfileName } from './images/dockerfile-builder.ts';
import { takeImage } from './images/image-builder.ts';
import { type BuildLimits, formatBytes } from './limits.ts';
import { buildEnvironment, runJob } from './sandbox-job.ts';
import { SourceTree } from './source-tree.ts';
import { parseChecksum, verifyChecksum } from './sources/checksum.ts';
import { fetchArchive } from './sources/fetch-archive.ts';

/** Grows whenever the same source would give another artifact. */
const builderVersion = '1';

export interface BuildParts {
  readonly sandbox: Sandbox;
  readonly dialer: Dialer;
  /** Null: nothing here runs images. */
  readonly images: Images | null;
  /** What the app's team signs in with to a registry. */
  readonly credentials: (appId: string, host: string) => Promise<RegistryCredentials | null>;
  readonly blobs: BlobFolder;
  readonly artifacts: ArtifactStore;
  readonly index: SourceIndex;
  readonly caches: BuildCaches;
  readonly limits: BuildLimits;
  /** Whether jobs see only what they are shown; otherwise they see the host's paths. */
  readonly ownFileSystem: boolean;
  /** Where installed buildpacks lie, a folder each. */
  readonly buildpackFolder: string;
  /** A keyed digest, to compare secrets by. */
  digestOf(text: string): string;
}

export interface BuildPlace {
  /** An empty folder for this build alone, on the file system of the artifacts. */
  readonly workspace: string;
  readonly jobPrefix: string;
  readonly log: BuildLog;
}

/** Throws BuildFailure when the source is at fault, and what the signal says when it aborts. */
export async function runBuild(
  input: BuildInput,
  parts: BuildParts,
  place: BuildPlace,
  signal: AbortSignal,
): Promise<BuildOutput> {
  const { log, workspace } = place;
  const { limits } = parts;
  const deadline = performance.now() + limits.buildMs;
  const images = input.runsImages === false ? null : parts.images;
  if (input.source.kind === 'image') {
    if (images === null)
      throw new BuildFailure(
        'unsupported',
        'the source is an image; running images needs a pool of the docker engine (the setting BERTH_ENGINE=docker makes the default pool one)',
      );
    return takeImage(input.appId, input.source.reference, { ...parts, images }, log, signal);
  }
  const expected = parseChecksum(input.source.checksum);
  const fetching = { ...parts, maxBytes: limits.archiveBytes, timeoutMs: limits.fetchMs };
  const archive = await fetchArchive(
    input.source.url.reveal(),
    { ...fetching, target: join(workspace, 'source') },
    signal,
  );
  verifyChecksum(expected, archive.sha256);

  const context = createContext(input, parts, place, deadline, signal);
  const buildpacks = await installedBuildpacks(parts.buildpackFolder);
  const url = input.environment.BUILDPACK_URL?.reveal().trim() ?? '';
  let version = buildpacks.version;
  let fixed: Buildpack | null = null;
  if (url !== '') {
    log.step('Fetching the buildpack of BUILDPACK_URL');
    const folder = join(workspace, 'buildpack');
    await mkdir(folder, { mode: 0o755 });
    // A clone runs in the sandbox, which shows it the app's folder: empty as yet.
    await mkdir(context.tree.path);
    const fetched = await fetchBuildpack(url, { ...fetching, folder, limits }, context, signal);
    await context.tree.remove('.');
    version = fetched.version;
    fixed = classicBuildpack('custom', fetched.folder);
  }

  const config = JSON.stringify(environmentEntries(input));
  const machine = `${process.platform}-${process.arch}-${process.version}${images === null ? '' : '-dockerfiles'}`;
  const key = parts.index.key([builderVersion, machine, archive.sha256, version, parts.digestOf(config)]);
  const earlier = await parts.index.get(key);
  if (earlier !== null && (await parts.artifacts.get(earlier.digest)) !== null) {
    await parts.artifacts.touch(earlier.digest);
    log.step('Same source and config as an earlier build: its artifact is used again');
    return finish(log, { artifactDigest: earlier.digest, ...earlier, reused: true });
  }

  await unpack(archive.path, context.tree.path, limits, signal);
  const hasDockerfile = fixed === null && (await context.tree.hasFile(dockerfileName));
  if (hasDockerfile && images !== null) {
    const leftMs = (): number => deadline - performance.now();
    return buildDockerfile(input, { ...parts, images }, { tree: context.tree, log, leftMs }, signal);
  }
  const { buildpack, label } =
    fixed === null
      ? await chooseBuildpack(context, buildpacks.list)
      : { buildpack: fixed, label: (await fixed.detect(context.tree, context)) ?? 'Custom' };
  log.step(`${label || buildpack.name} app detected`);
  if (hasDockerfile)
    log.detail(
      'Its Dockerfile is not used: that needs a pool of the docker engine (BERTH_ENGINE=docker makes the default pool one)',
    );
  const { defaults } = await buildpack.build(context);
  signal.throwIfAborted();
  const processes = await discoverProcesses(context, defaults, buildpack.name);
  const info = await parts.artifacts.put(context.tree.path, { processes, buildpack: buildpack.name }, signal);
  const { digest, sizeBytes } = info;
  await parts.index.set(key, { digest, sizeBytes, processes, buildpack: buildpack.name });
  log.step(`Artifact of ${info.files} files, ${formatBytes(sizeBytes)}`);
  return finish(log, { artifactDigest: digest, sizeBytes, processes, buildpack: buildpack.name, reused: false });
}

async function finish(log: BuildLog, output: BuildOutput & { digest?: string }): Promise<BuildOutput> {
  const { digest: _digest, ...rest } = output;
  log.detail(rest.artifactDigest);
  await log.flush();
  return rest;
}

function environmentEntries(input: BuildInput): [string, string][] {
  return Object.entries(buildEnvironment(input.environment))
    .map(([name, value]): [string, string] => [name, value.reveal()])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

function createContext(
  input: BuildInput,
  parts: BuildParts,
  place: BuildPlace,
  deadline: number,
  signal: AbortSignal,
): BuildContext {
  const { workspace, log, jobPrefix } = place;
  const tree = new SourceTree(join(workspace, 'tree'));
  const cacheFolder = join(workspace, 'cache');
  let cacheTaken = false;
  const inside = (name: InsideName, host: string): string => (parts.ownFileSystem ? `/${name}` : host);
  const around = {
    sandbox: parts.sandbox,
    idPrefix: jobPrefix,
    spaceId: input.spaceId,
    logStream: input.logStream,
    tree: tree.path,
    cacheFolder,
    inside,
    environment: input.environment,
    limits: parts.limits,
    leftMs: () => deadline - performance.now(),
  };
  return {
    tree,
    log,
    cacheFolder,
    scratchFolder: workspace,
    inside,
    async writeEnvironmentFolder() {
      const folder = join(workspace, 'env');
      await mkdir(folder, { mode: 0o755 });
      for (const [name, value] of environmentEntries(input))
        await writeFile(join(folder, name), value, { mode: 0o644 });
      return folder;
    },
    async job(request) {
      if (!cacheTaken) await parts.caches.take(input.appId, cacheFolder);
      cacheTaken = true;
      await log.flush();
      return runJob(request, around, signal);
    },
  };
}

/** The Procfile decides; what the buildpack proposes counts where there is none, or for a classic buildpack beside it. */
async function discoverProcesses(
  { tree, log }: BuildContext,
  defaults: Readonly<Record<string, string>>,
  buildpack: string,
): Promise<Record<string, string>> {
  log.step('Discovering process types');
  const procfile = await tree.readText('Procfile');
  const declared = procfile === null ? null : parseProcfile(procfile);
  const own = ['node', 'python', 'static', 'procfile'].includes(buildpack);
  const commands = declared === null ? defaults : own ? declared : { ...defaults, ...declared };
  const names = Object.keys(commands);
  if (declared !== null) log.detail(`Procfile declares types -> ${Object.keys(declared).join(', ')}`);
  else if (names.length > 0) log.detail(`Default types -> ${names.join(', ')}`);
  else log.warning('Nothing says how to start the app: add a Procfile');
  const scripts = (await tree.list('.profile.d')).some((name) => name.endsWith('.sh'));
  if (!scripts) return { ...commands };
  const profile = 'for file in ./.profile.d/*.sh; do . "$file"; done; ';
  return Object.fromEntries(Object.entries(commands).map(([type, command]) => [type, profile + command]));
}

/** `version` changes when one is added, removed or replaced. */
async function installedBuildpacks(folder: string): Promise<{ list: Buildpack[]; version: string }> {
  const names = (await readdir(folder).catch(() => [] as string[]))
    .filter((name) => /^\w[\w.-]{0,39}$/.test(name))
    .sort();
  const list: Buildpack[] = [];
  const versions: string[] = [];
  for (const name of names) {
    const path = join(folder, name);
    const stats = await stat(path);
    if (!stats.isDirectory()) continue;
    list.push(classicBuildpack(name, path));
    versions.push(`${name}@${stats.mtimeMs}`);
  }
  return { list, version: `installed:${versions.join(',')}` };
}
