import type { Id, ProcessType } from '../names.ts';

export interface HealthCheck {
  /** An HTTP path that answers 2xx or 3xx; null: a TCP accept on the port is enough. */
  readonly path: string | null;
  readonly timeoutMs: number;
}

/** A volume at a path inside every instance of a process. */
export interface ProcessMount {
  readonly path: string;
  /** Whose volume it is; null: the process's own, at this path. The owner is in the same pod. */
  readonly from: { readonly processType: string; readonly path: string } | null;
  /** One volume for all instances; otherwise each instance has its own. */
  readonly shared: boolean;
  readonly sizeBytes: number | null;
}

/** A way to another process of the app: a host name inside, and variables that say where it is. */
export interface ProcessLink {
  /** A lower-case host label. */
  readonly name: string;
  readonly processType: string;
  readonly port: number;
}

/** One kind of program of an app and how many of it should run. */
export interface Process {
  readonly id: Id<'process'>;
  readonly appId: Id<'app'>;
  readonly type: ProcessType;
  /** A shell command line. Null: what the artifact says for this type. */
  readonly command: string | null;
  /** An image of its own as it was named; null: it runs the app's artifact. */
  readonly image: string | null;
  /** With an image: put in the place of its entrypoint, and of its arguments. Never a shell. */
  readonly entrypoint: string | null;
  readonly arguments: readonly string[] | null;
  readonly quantity: number;
  /** Keeps its quantity and runs nothing. */
  readonly stopped: boolean;
  readonly sizeId: Id<'size'>;
  /** TCP ports that it listens on, the first is its `$PORT`. None: the engine picks one if it is routed. */
  readonly ports: readonly number[];
  /** Gets the requests to the app's default host, and to domains that name no process. */
  readonly routed: boolean;
  /** Processes of one pod have the same quantity; their instances share machine, network and volumes, seat by seat. */
  readonly pod: string | null;
  readonly mounts: readonly ProcessMount[];
  readonly links: readonly ProcessLink[];
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
  /** Of all apps: those that have links. */
  linked(): Promise<readonly Pick<Process, 'appId' | 'pod' | 'links'>[]>;
  /** Where their processes listen: for addresses. */
  portsOf(appIds: readonly Id<'app'>[]): Promise<readonly Pick<Process, 'appId' | 'type' | 'pod' | 'ports'>[]>;
  insert(process: Process): Promise<void>;
  update(id: Id<'process'>, change: Partial<Omit<Process, 'id' | 'appId' | 'createdAt'>>): Promise<void>;
  remove(id: Id<'process'>): Promise<void>;
}
