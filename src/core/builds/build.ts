import type { Id } from '../names.ts';
import type { SourceLocation } from '../ports/builder.ts';
import type { Page, PageRequest } from '../ports/page.ts';

export type BuildStatus = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';

export interface Build {
  readonly id: Id<'build'>;
  readonly appId: Id<'app'>;
  /** 1, 2, … within the app. */
  readonly number: number;
  readonly status: BuildStatus;
  /** Encrypted at rest: a URL may hold credentials. */
  readonly source: SourceLocation;
  /** What the caller said of the source; shown, never interpreted. */
  readonly description: BuildDescription;
  /** Released as soon as it has succeeded, whatever the app says. */
  readonly autoRelease: boolean;
  readonly artifactDigest: string | null;
  readonly failureCode: string | null;
  readonly failureMessage: string | null;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly updatedAt: Date;
}
export interface BuildDescription {
  readonly checksum: string;
  readonly version: string;
  readonly commit: string;
  readonly branch: string;
  readonly author: string;
  readonly repository: string;
  readonly message: string;
}
export interface BuildStore {
  find(appId: Id<'app'>, id: Id<'build'>): Promise<Build | null>;
  /** Without the app: for slugs, which outlive it, and for the queue. */
  findAny(id: Id<'build'>): Promise<Build | null>;
  insert(build: Build): Promise<void>;
  nextNumber(appId: Id<'app'>): Promise<number>;
  /** Changes only when the status is one of `from`; says whether it did. */
  advance(
    id: Id<'build'>,
    from: readonly BuildStatus[],
    change: Partial<Omit<Build, 'id' | 'appId' | 'number' | 'source' | 'createdAt'>>,
  ): Promise<boolean>;
  /** Oldest first. */
  list(appId: Id<'app'>, page: PageRequest): Promise<Page<Build>>;
  /** Of any app of the team, newest first and at most five: those that succeeded with this artifact. */
  broughtBy(teamId: Id<'team'>, artifactDigest: string): Promise<readonly Build[]>;
  /** The newest that succeeded (of those with this version label), or null. */
  latestSucceeded(appId: Id<'app'>, version?: string): Promise<Build | null>;
}
