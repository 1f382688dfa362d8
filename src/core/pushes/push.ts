import type { BuildDescription } from '../builds/build.ts';
import type { Deployment } from '../deployments/deployment.ts';

/** Source that somebody pushed, as it came: a commit of a branch. */
export interface Push {
  readonly description: Pick<BuildDescription, 'commit' | 'branch' | 'author' | 'message'>;
  /** Puts the commit's archive into the BlobStore and gives the blob's id. Called once, when nothing stands in the way of a build. */
  store(): Promise<string>;
}

export interface PushResult {
  readonly deployment: Deployment;
  /** Why the push is to be refused, in words for the person who pushed; null when what was pushed runs. */
  readonly failure: string | null;
}
