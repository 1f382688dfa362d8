/** Runs one step of a build in the sandbox and says in the owner's words how it went. */
import { BuildFailure } from '../core/ports/builder.ts';
import type { JobExit, JobSpec, Sandbox } from '../core/ports/sandbox.ts';
import { type Environment, Secret } from '../core/ports/secret.ts';
import type { InsideName, JobRequest } from './buildpacks/buildpack.ts';
import { type BuildLimits, formatBytes } from './limits.ts';

export interface JobSurroundings {
  readonly sandbox: Sandbox;
  /** `build-<build id>`, before the step. */
  readonly idPrefix: string;
  readonly spaceId: string;
  readonly logStream: string;
  readonly tree: string;
  readonly cacheFolder: string;
  inside(name: InsideName, host: string): string;
  readonly environment: Environment;
  readonly limits: BuildLimits;
  /** Milliseconds of the build's time that are left. */
  leftMs(): number;
}

/** Config that would keep the platform's own tools from working; an instance gets it all the same. */
const keptFromBuild = new Set(['PATH', 'HOME', 'PORT', 'NODE_ENV', 'LD_PRELOAD', 'LD_LIBRARY_PATH', 'BASH_ENV', 'ENV']);

/** The app's config as build steps see it. */
export function buildEnvironment(environment: Environment): Environment {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !keptFromBuild.has(name)),
  );
}

/** Gives the exit code. Throws BuildFailure when a limit ended the step or, unless `mayFail`, it did not succeed. */
export async function runJob(request: JobRequest, around: JobSurroundings, signal: AbortSignal): Promise<number> {
  const { limits } = around;
  const app = around.inside('app', around.tree);
  const spec: JobSpec = {
    id: `${around.idPrefix}-${request.step}`,
    spaceId: around.spaceId,
    command: request.command,
    folders: [
      { host: around.tree, inside: app, writable: true },
      { host: around.cacheFolder, inside: around.inside('cache', around.cacheFolder), writable: true },
      ...(request.folders ?? []),
    ],
    workingFolder: app,
    environment: {
      ...secrets(request.environment),
      ...buildEnvironment(around.environment),
      ...secrets(request.forced),
    },
    limits: { memoryBytes: limits.memoryBytes, cpuShares: limits.cpuShares, pids: limits.pids },
    timeoutMs: Math.max(1, Math.ceil(around.leftMs())),
    diskBytes: limits.diskBytes,
    log: { stream: around.logStream, source: 'build', maxBytes: limits.outputBytes },
    network: true,
  };
  const exit = await around.sandbox.run(spec, signal);
  return judge(exit, request, limits);
}

function judge(exit: JobExit, request: JobRequest, limits: BuildLimits): number {
  const { title } = request;
  if (exit.outOfMemory) {
    throw new BuildFailure('memory', `${title} used more than ${formatBytes(limits.memoryBytes)} of memory`);
  }
  if (exit.diskExceeded) throw new BuildFailure('disk', `${title} wrote more than ${formatBytes(limits.diskBytes)}`);
  if (exit.outputExceeded)
    throw new BuildFailure('output', `${title} printed more than ${formatBytes(limits.outputBytes)}`);
  if (exit.timedOut) {
    throw new BuildFailure(
      'timeout',
      `the build took longer than ${Math.round(limits.buildMs / 1000)} seconds (in ${title})`,
    );
  }
  if (exit.startError !== null) throw new BuildFailure('compile', `${title} could not start: ${exit.startError}`);
  if (exit.code === 0 || (request.mayFail === true && exit.code !== null)) return exit.code;
  const how = exit.code === null ? `was ended by ${exit.signal ?? 'a signal'}` : `failed with exit code ${exit.code}`;
  throw new BuildFailure('compile', `${title} ${how}`);
}

function secrets(values: Readonly<Record<string, string>> = {}): Environment {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, new Secret(value)]));
}
