/**
 * Builds a source that has a Dockerfile, where the engine runs containers. The app's config is offered to its steps as secrets and never
 * as arguments: those would stay in the image's history.
 */
import { dockerfileRefusal } from '../../core/images/dockerfile-rules.ts';
import { BuildFailure, type BuildInput, type BuildOutput } from '../../core/ports/builder.ts';
import type { ImageDescription, Images, RegistryCredentials } from '../../core/ports/images.ts';
import type { BuildLog } from '../build-log.ts';
import { parseProcfile } from '../buildpacks/procfile.ts';
import { type BuildLimits, formatBytes } from '../limits.ts';
import type { SourceTree } from '../source-tree.ts';
import { packContext } from './build-context.ts';

export const dockerfileName = 'Dockerfile';

export interface DockerfileParts {
  readonly images: Images;
  readonly limits: BuildLimits;
  /** What the app's team signs in with to a registry. */
  readonly credentials: (appId: string, host: string) => Promise<RegistryCredentials | null>;
}

export interface DockerfilePlace {
  readonly tree: SourceTree;
  readonly log: BuildLog;
  /** Milliseconds of the build's time that are left. */
  leftMs(): number;
}

/** Throws BuildFailure when the Dockerfile is at fault or a limit is reached, and what the signal says when it aborts. */
export async function buildDockerfile(
  { buildId, appId, environment }: BuildInput,
  { images, limits, credentials }: DockerfileParts,
  { tree, log, leftMs }: DockerfilePlace,
  signal: AbortSignal,
): Promise<BuildOutput> {
  const procfile = await tree.readText('Procfile');
  const declared = procfile === null ? {} : parseProcfile(procfile);
  log.step('Dockerfile found: building an image');
  const refused = dockerfileRefusal((await tree.readText(dockerfileName)) ?? '');
  if (refused !== null) throw new BuildFailure('source', refused);
  const late = AbortSignal.timeout(Math.max(1, Math.ceil(leftMs())));
  const tooMuch = new AbortController();
  let printedBytes = 0;
  const print = (line: string): void => {
    printedBytes += line.length;
    if (printedBytes <= limits.outputBytes) log.detail(line);
    else tooMuch.abort();
  };
  try {
    const image = await images.build(
      {
        buildId,
        context: await packContext(tree, dockerfileName),
        dockerfile: dockerfileName,
        secrets: environment,
        cacheScope: appId,
        arguments: {},
        limits: { memoryBytes: limits.memoryBytes, cpuShares: limits.cpuShares },
        credentials: (host) => credentials(appId, host),
        log: print,
      },
      AbortSignal.any([signal, late, tooMuch.signal]),
    );
    if ('failed' in image) throw failure(image.failed, limits);
    return outputOf(image, 'dockerfile', declared, log);
  } catch (error) {
    signal.throwIfAborted();
    if (late.aborted)
      throw new BuildFailure('timeout', `the build took longer than ${Math.round(limits.buildMs / 1000)} seconds`);
    if (tooMuch.signal.aborted)
      throw new BuildFailure('output', `the build printed more than ${formatBytes(limits.outputBytes)}`);
    throw error;
  }
}

function failure(message: string, { memoryBytes }: BuildLimits): BuildFailure {
  if (/no space left on device/i.test(message)) return new BuildFailure('disk', message);
  const wasKilled = /exit code: 137\b/.test(message);
  return wasKilled
    ? new BuildFailure('memory', `${message} (killed: a step may use ${formatBytes(memoryBytes)} of memory)`)
    : new BuildFailure('compile', message);
}

/** What an image runs by itself is its `web`; what a Procfile declares is run by a shell inside. */
export async function outputOf(
  { artifactDigest, sizeBytes, hasCommand }: ImageDescription,
  buildpack: string,
  declared: Readonly<Record<string, string>>,
  log: BuildLog,
): Promise<BuildOutput> {
  const processes = { ...(hasCommand ? { web: '' } : {}), ...declared };
  const names = Object.keys(processes);
  log.step(`Image of ${formatBytes(sizeBytes)}`);
  if (names.length > 0) log.detail(`Process types -> ${names.join(', ')}`);
  else log.warning('Nothing says how to start the app: the image has no command, and there is no Procfile');
  log.detail(artifactDigest);
  await log.flush();
  return { artifactDigest, sizeBytes, processes, buildpack, reused: false };
}
