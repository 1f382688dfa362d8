/**
 * Runs one bounded job apart from the platform: a build step. Same isolation as an instance. The job outlives the server that asked
 * for it; `run` of a known id attaches to it, so a resumed build neither doubles nor orphans its work.
 */
import type { InstanceExit, ResourceLimits } from './engine.ts';
import type { Environment } from './secret.ts';

export interface JobSpec {
  readonly id: string;
  readonly spaceId: string;
  readonly command: readonly string[];
  /** Folders of the host to show inside. The first one is also the working folder unless `workingFolder` says otherwise. */
  readonly folders: readonly { readonly host: string; readonly inside: string; readonly writable: boolean }[];
  readonly workingFolder?: string;
  readonly environment: Environment;
  readonly limits: ResourceLimits;
  readonly timeoutMs: number;
  /** Bytes that the writable folders may grow to; the job is ended above. */
  readonly diskBytes: number;
  /** The log stream that stdout and stderr go to, line by line. */
  readonly log: { readonly stream: string; readonly source: string; readonly maxBytes: number };
  readonly network: boolean;
}

export type JobExit = InstanceExit & { readonly diskExceeded: boolean; readonly outputExceeded: boolean };

export interface Sandbox {
  /** Resolves with how the job ended. Aborting the signal kills the whole job and then rejects. */
  run(job: JobSpec, signal: AbortSignal): Promise<JobExit>;
  /** Kills a job by id if it is there. */
  kill(id: string): Promise<void>;
  /** Jobs that run now; a controller kills those that nobody waits for. */
  jobs(): Promise<readonly string[]>;
}
