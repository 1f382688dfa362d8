import type { Id } from '../names.ts';
import type { InstanceCommand } from '../ports/engine.ts';
import type { Page, PageRequest } from '../ports/page.ts';

/** `pending`: to be rolled out. `succeeded`: went live. `failed`: did not, the one before serves on. `superseded`: a newer one came first. */
export type ReleaseStatus = 'pending' | 'succeeded' | 'failed' | 'superseded';
export type StrategyName = 'one-by-one' | 'all-at-once' | 'hot-swap';

/** What a process with an image of its own runs in a release. */
export interface ReleasedProcess {
  /** The image as it was named. */
  readonly image: string;
  readonly artifactDigest: string;
  readonly command: InstanceCommand;
  /** Grows when all its instances are to be new ones with new volumes (a hot swap). */
  readonly series: number;
}

/** An immutable snapshot that can be run: artifact by digest, config, commands. Rolling back is a new release of an old snapshot. */
export interface Release {
  readonly id: Id<'release'>;
  readonly appId: Id<'app'>;
  /** 1, 2, … within the app. */
  readonly version: number;
  /** Why it came to be; dialects that know no release for a config change leave `config` out of their lists. */
  readonly kind: 'deploy' | 'rollback' | 'config';
  readonly status: ReleaseStatus;
  /** Null: every process runs an image of its own. */
  readonly artifactDigest: string | null;
  readonly buildId: Id<'build'> | null;
  readonly configSnapshotId: Id<'config-snapshot'>;
  /** Process types to commands, as the artifact had them; '' is what its image says itself. */
  readonly commands: Readonly<Record<string, string>>;
  /** Processes with an image of their own, by type. */
  readonly processes: Readonly<Record<string, ReleasedProcess>>;
  readonly strategy: StrategyName;
  readonly description: string;
  readonly rollbackOf: Id<'release'> | null;
  /** Why it failed: a code (H10, H20, R14…) and words with the last log lines' gist. */
  readonly failureCode: string | null;
  readonly failureMessage: string | null;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}
export interface ReleaseStore {
  find(appId: Id<'app'>, id: Id<'release'>): Promise<Release | null>;
  findByVersion(appId: Id<'app'>, version: number): Promise<Release | null>;
  insert(release: Release): Promise<void>;
  nextVersion(appId: Id<'app'>): Promise<number>;
  /** Changes only when the status is one of `from`; says whether it did. */
  advance(
    id: Id<'release'>,
    from: readonly ReleaseStatus[],
    change: Partial<Pick<Release, 'status' | 'failureCode' | 'failureMessage' | 'updatedAt'>>,
  ): Promise<boolean>;
  /** The newest pending one, or null. */
  pending(appId: Id<'app'>): Promise<Release | null>;
  /** All pending older than this version become superseded. */
  supersede(appId: Id<'app'>, before: number, now: Date): Promise<void>;
  /** Oldest first. */
  list(appId: Id<'app'>, kinds: readonly Release['kind'][], page: PageRequest): Promise<Page<Release>>;
}
