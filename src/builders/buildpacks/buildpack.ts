/** What every way of building has in common. */
import type { JobSpec } from '../../core/ports/sandbox.ts';
import type { BuildLog } from '../build-log.ts';
import type { SourceTree } from '../source-tree.ts';

export interface JobRequest {
  /** A short word, unique within the build: it names the job. */
  readonly step: string;
  /** Run as it is, in the app's folder. */
  readonly command: readonly string[];
  /** Below the app's own environment; `forced` goes above it. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly forced?: Readonly<Record<string, string>>;
  /** Folders beside the app and the cache. */
  readonly folders?: JobSpec['folders'];
  /** What a failure is called: `npm ci failed`. */
  readonly title: string;
  /** Resolve with the exit code instead of failing when the command does not succeed. */
  readonly mayFail?: boolean;
}

/** What a job can be shown, each at the folder `/<name>` where the sandbox has its own file system. */
export type InsideName = 'app' | 'cache' | 'env' | 'buildpack' | 'output';

export interface BuildContext {
  readonly tree: SourceTree;
  readonly log: BuildLog;
  /** A folder of the host for what the steps want to keep until the next build. */
  readonly cacheFolder: string;
  /** The path by which a job sees a folder of the host; the app's is where instances have it. */
  inside(name: InsideName, host: string): string;
  /** A folder of the host for files of this build alone; never shown inside as a whole. */
  readonly scratchFolder: string;
  /** Writes the app's config to a folder of the host, a file each, as classic buildpacks want it. Gives its path. */
  writeEnvironmentFolder(): Promise<string>;
  /** Runs user code in the sandbox. Gives the exit code; throws BuildFailure when a limit ended it or, unless `mayFail`, it failed. */
  job(request: JobRequest): Promise<number>;
}

export interface Built {
  /** Process types to commands, used for the types that the Procfile does not name. */
  readonly defaults: Readonly<Record<string, string>>;
}

export interface Buildpack {
  /** A stable word, e.g. `node`; kept with the artifact. */
  readonly name: string;
  /** What to call the app when this buildpack fits it (`Node.js`), or null. */
  detect(tree: SourceTree, context: BuildContext): Promise<string | null>;
  build(context: BuildContext): Promise<Built>;
}
