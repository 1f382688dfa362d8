import type { Id } from '../names.ts';

/** Work that outlives the request that asked for it. A row, leased by who works on it; a lease that runs out is taken over. */
export type OperationKind =
  | 'build'
  | 'deploy'
  | 'scale'
  | 'restart'
  | 'stop'
  | 'start'
  | 'delete'
  | 'addon'
  | 'node-add'
  | 'node-drain'
  | 'node-remove'
  | 'node-move'
  | 'rebalance';
export type OperationStatus = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';

export interface Operation {
  readonly id: Id<'operation'>;
  readonly kind: OperationKind;
  readonly appId: Id<'app'> | null;
  /** What it works on: a build's, release's, add-on's, node's or pool's id. */
  readonly subjectId: string | null;
  readonly status: OperationStatus;
  readonly cancelRequested: boolean;
  readonly attempts: number;
  readonly error: string | null;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}
export interface OperationStore {
  /** By id, short ones too. */
  find(reference: string): Promise<Operation | null>;
  findBySubject(subjectId: string): Promise<Operation | null>;
  insert(operation: Operation): Promise<void>;
  /**
   * Takes the oldest of this kind that is queued, or running with a lease run out (SKIP LOCKED), for `leaseMs`. Null when there is none.
   * `attempts` counts the takings.
   */
  claim(kind: OperationKind, holder: string, leaseMs: number): Promise<Operation | null>;
  /** Prolongs the lease; false when it is no longer ours. Also says whether a cancel was asked for. */
  heartbeat(
    id: Id<'operation'>,
    holder: string,
    leaseMs: number,
  ): Promise<{ readonly held: boolean; readonly cancelRequested: boolean }>;
  /** Ends it; only the holder of the lease can (null: for one that nobody leases). False when it has ended or is another's. */
  finish(
    id: Id<'operation'>,
    holder: string | null,
    status: 'succeeded' | 'failed' | 'cancelled',
    error: string | null,
  ): Promise<boolean>;
  /** Asks for a cancel; one still queued is cancelled at once. Gives the status after. */
  requestCancel(id: Id<'operation'>): Promise<OperationStatus | null>;
  /** Somebody works on these now; changes only those still queued. */
  begin(ids: readonly Id<'operation'>[]): Promise<void>;
  /** Open ones of an app that the reconciler ends when wanted is actual. */
  open(appId: Id<'app'>, kinds: readonly OperationKind[]): Promise<readonly Operation[]>;
  /** Apps with an open operation other than a build's or add-on's: something about them is not yet as it should be. */
  openApps(): Promise<readonly Id<'app'>[]>;
  /** Open ones of these kinds, oldest first, of whatever app. */
  openOf(kinds: readonly OperationKind[]): Promise<readonly Operation[]>;
  removeFinishedBefore(at: Date): Promise<number>;
}

/** Named leases, e.g. `reconcile/<app id>`: at most one holder at a time over all replicas. */
export interface LeaseStore {
  acquire(name: string, holder: string, leaseMs: number): Promise<boolean>;
  release(name: string, holder: string): Promise<void>;
}
