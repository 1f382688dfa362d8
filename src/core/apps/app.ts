import type { AppName, Handle, Id } from '../names.ts';

/** The unit of ownership: everything else hangs on an app. */
export interface App {
  readonly id: Id<'app'>;
  readonly name: AppName;
  /** Globally unique; the first label of its default host name. */
  readonly handle: Handle;
  readonly teamId: Id<'team'>;
  readonly spaceId: Id<'space'>;
  readonly poolId: Id<'pool'>;
  readonly description: string;
  readonly labels: readonly string[];
  /** Named switches; what a name means is its dialect's or controller's. */
  readonly features: Readonly<Record<string, boolean>>;
  /** On: no instance runs and the router shows the maintenance page. */
  readonly maintenance: boolean;
  /** Stopped keeps quantities but runs nothing. */
  readonly stopped: boolean;
  /** Grows with each restart of the whole app. */
  readonly restartGeneration: number;
  /** The newest release that went live; null before the first. */
  readonly currentReleaseId: Id<'release'> | null;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly releasedAt: Date | null;
  /** Set when deletion was accepted: instances stop, then the row goes. Such an app is found by nobody. */
  readonly deletedAt: Date | null;
}

/** An app with the names that every dialect shows beside it; one query. */
export interface AppView extends App {
  readonly teamName: string;
  readonly spaceName: string;
  readonly spaceTeamId: Id<'team'> | null;
  readonly spaceCompliance: readonly string[];
  readonly poolName: string;
}

/** The handle of an app `name` in space `space`; the default space adds nothing. */
export const handleFor = (name: string, space: string): string => (space === 'default' ? name : `${name}-${space}`);
