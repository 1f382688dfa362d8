/** A deployment is a build and the release that followed it: one thing to whoever deploys, two to the platform. */
import type { Build } from '../builds/build.ts';
import type { Id } from '../names.ts';
import type { Release } from '../releases/release.ts';

export type DeploymentState =
  | 'queued'
  | 'building'
  /** Built; nothing of it runs yet. */
  | 'releasing'
  | 'starting'
  | 'succeeded'
  | 'build-failed'
  | 'crashed'
  /** Nothing answered on its port in time. */
  | 'timed-out'
  | 'aborted';

export type DeployedRelease = Pick<
  Release,
  'id' | 'version' | 'status' | 'failureCode' | 'failureMessage' | 'updatedAt'
>;

export interface Deployment {
  readonly build: Omit<Build, 'source'>;
  /** The first release of the build, or the one that took its place while it was being rolled out. Null: not yet, or never. */
  readonly release: DeployedRelease | null;
  /** Whether an instance of the release was started. */
  readonly hasInstances: boolean;
  /** Who deployed; without an id when that is no user (any more). */
  readonly by: { readonly id: Id<'user'> | null; readonly username: string; readonly email: string };
}

export interface DeploymentPage {
  readonly items: readonly Deployment[];
  /** Of all pages. */
  readonly total: number;
}

/** Builds that succeeded and that nobody asked to release are no deployments. */
export interface DeploymentStore {
  /** Newest first. */
  list(appId: Id<'app'>, range: { readonly offset: number; readonly limit: number }): Promise<DeploymentPage>;
  find(appId: Id<'app'>, buildId: string): Promise<Deployment | null>;
}

const endOfRelease: Readonly<Record<string, DeploymentState>> = { H20: 'timed-out', cancelled: 'aborted' };

/** How far it is. */
export function deploymentState({ build, release, hasInstances }: Deployment): DeploymentState {
  if (build.status === 'queued') return 'queued';
  if (build.status === 'running') return 'building';
  if (build.status === 'failed') return 'build-failed';
  if (build.status === 'cancelled') return 'aborted';
  if (release === null) return 'releasing';
  switch (release.status) {
    case 'pending':
      return hasInstances ? 'starting' : 'releasing';
    case 'succeeded':
      return 'succeeded';
    case 'superseded':
      return 'aborted';
    case 'failed':
      return endOfRelease[release.failureCode ?? ''] ?? 'crashed';
  }
}

const open: ReadonlySet<DeploymentState> = new Set(['queued', 'building', 'releasing', 'starting']);

export const isUnderWay = (deployment: Deployment): boolean => open.has(deploymentState(deployment));

/** When it ended; null while it is under way. */
export function endedAt(deployment: Deployment): Date | null {
  if (isUnderWay(deployment)) return null;
  const { build, release } = deployment;
  return release?.updatedAt ?? build.finishedAt ?? build.updatedAt;
}
