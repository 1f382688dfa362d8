import type { Id } from '../names.ts';

/**
 * `starting` → `ready` (healthy, and the router knows it) → `draining` → (row gone). `crashed`: exited by itself, waits for its back-off and is then replaced.
 * The engine says what runs; these rows say what the platform made of it, so that any replica can go on.
 */
export type InstanceState = 'starting' | 'ready' | 'draining' | 'crashed';

export interface Instance {
  readonly id: Id<'instance'>;
  readonly appId: Id<'app'>;
  readonly releaseId: Id<'release'>;
  readonly processType: string;
  /** Hash of all that would need a new instance (release, size, command, port, restart generation). */
  readonly generation: string;
  readonly state: InstanceState;
  /** The seat that it fills: see seat.ts. */
  readonly series: number;
  readonly ordinal: number;
  /** Gets the requests to the app's default host. */
  readonly routed: boolean;
  readonly nodeId: string | null;
  readonly host: string | null;
  readonly port: number | null;
  /** How often this place was started again after a crash. */
  readonly restarts: number;
  /** A crashed one is replaced not before this. */
  readonly retryAt: Date | null;
  /** The cause of the last crash: H10, H20, R14, R15, start-failure…, and in words. */
  readonly failureCode: string | null;
  readonly failureMessage: string | null;
  readonly createdAt: Date;
  /** When it was found healthy. */
  readonly readyAt: Date | null;
  readonly updatedAt: Date;
}
/** An instance as nodes see it. */
export type PlacedInstance = Pick<
  Instance,
  'id' | 'appId' | 'processType' | 'generation' | 'state' | 'nodeId' | 'failureCode' | 'createdAt'
> & { readonly poolId: Id<'pool'> };
export interface InstanceStore {
  list(appId: Id<'app'>): Promise<readonly Instance[]>;
  /** All that the router may send to, of all apps: ready ones, and starting ones that are healthy. */
  routable(): Promise<readonly Instance[]>;
  all(): Promise<readonly Pick<Instance, 'id' | 'appId' | 'state'>[]>;
  /** Of all apps, oldest first. */
  placed(): Promise<readonly PlacedInstance[]>;
  /**
   * Gives those of these that serve or start another generation, so that they are replaced (see `movedGeneration`); those that have it
   * already stay as they are. Gives the apps of those that changed.
   */
  move(ids: readonly Id<'instance'>[], at: Date): Promise<readonly Id<'app'>[]>;
  /** Crashed ones of a pool's apps that failed by this code are due now. Gives their apps. */
  hurry(poolId: Id<'pool'>, failureCode: string, now: Date): Promise<readonly Id<'app'>[]>;
  insert(instance: Instance): Promise<void>;
  update(id: Id<'instance'>, change: Partial<Omit<Instance, 'id' | 'appId' | 'createdAt'>>): Promise<void>;
  remove(id: Id<'instance'>): Promise<void>;
}
