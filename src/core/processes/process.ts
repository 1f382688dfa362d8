import type { Id, ProcessType } from '../names.ts';

export interface HealthCheck {
  /** An HTTP path that answers 2xx or 3xx; null: a TCP accept on the port is enough. */
  readonly path: string | null;
  readonly timeoutMs: number;
}

/** One kind of program of an app and how many of it should run. */
export interface Process {
  readonly id: Id<'process'>;
  readonly appId: Id<'app'>;
  readonly type: ProcessType;
  /** Null: what the artifact says for this type. */
  readonly command: string | null;
  readonly quantity: number;
  readonly sizeId: Id<'size'>;
  /** A fixed port, or null: the engine picks one. Only processes that get requests have a port. */
  readonly port: number | null;
  readonly routed: boolean;
  readonly healthPath: string | null;
  /** Grows with each restart of this process. */
  readonly restartGeneration: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}
export interface ProcessView extends Process {
  readonly sizeName: string;
  readonly memoryBytes: number;
  readonly cpuShares: number;
  readonly pids: number;
}
export interface ProcessStore {
  list(appId: Id<'app'>): Promise<readonly ProcessView[]>;
  /** Of many apps at once, for lists. */
  listOf(appIds: readonly Id<'app'>[]): Promise<readonly ProcessView[]>;
  find(appId: Id<'app'>, type: string): Promise<ProcessView | null>;
  insert(process: Process): Promise<void>;
  update(id: Id<'process'>, change: Partial<Omit<Process, 'id' | 'appId' | 'createdAt'>>): Promise<void>;
  remove(id: Id<'process'>): Promise<void>;
}
