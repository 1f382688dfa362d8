/**
 * What runs instances: the embedded process engine (through its agent), Docker, or the simulated one. Every engine passes
 * src/engines/conformance. All verbs are idempotent by instance id, so a caller that crashed may simply say them again.
 * Watching only wakes callers early: the truth is `list()`.
 */
import type { Environment, Secret } from './secret.ts';

export interface InstanceSpec {
  /** Unique for ever; `start` of a known id changes nothing. */
  readonly id: string;
  readonly kind: 'process' | 'one-off';
  readonly appId: string;
  readonly appHandle: string;
  /** Instances of one space share a network; other spaces are out of reach. */
  readonly spaceId: string;
  readonly processType: string;
  /** Opaque to the engine, handed back by `list`: the hash of everything that would need a new instance. */
  readonly generation: string;
  readonly artifactDigest: string;
  /** Which pool's nodes it may run on; absent: any node. */
  readonly poolId?: string;
  readonly command: InstanceCommand;
  readonly environment: Environment;
  /**
   * TCP ports that it listens on. `any`: one that the engine picks. Numbers: exactly these; `$PORT` is the first. Empty: none. Instances
   * with numbered ports have a network of their own, so that several may listen on the same; where the engine cannot give them one
   * (see `describe`), only the first port is honoured, and only as whatever `$PORT` says.
   */
  readonly ports: 'any' | readonly number[];
  /** Instances of one pod share a network: they reach each other at localhost. Null: none. */
  readonly pod?: string | null;
  /** The lasting seat that this instance fills; log lines carry it. Printable ASCII without spaces, `@` or `.`; '' or absent: none. */
  readonly seat?: string;
  readonly mounts?: readonly Mount[];
  readonly links?: readonly Link[];
  readonly limits: ResourceLimits;
  readonly graceMs: number;
  /** One-offs: keep stdin open until `attach` closes it, and give it a terminal. */
  readonly stdin?: boolean;
  readonly terminal?: TerminalSize;
  /** One-offs: files of the engine's machine, which are copied to `/tmp/uploads` under these names before the command runs. */
  readonly uploads?: readonly { readonly name: string; readonly path: string }[];
  /** One-offs: killed after so long. */
  readonly timeoutMs?: number;
}

/**
 * A text is run as `/bin/sh -c <text>` inside the sandbox, in the working copy of the artifact; an array is run as it is; `arguments` are
 * given to the image's own entrypoint, null for those of the image.
 */
export type InstanceCommand = string | readonly string[] | { readonly arguments: readonly string[] | null };

/** A volume's folder at an absolute path inside. A volume is made when first mounted and stays until `removeVolume`. */
export interface Mount {
  readonly volumeId: string;
  readonly path: string;
  /** Only one instance, and other processes of its pod, may have it at a time. */
  readonly exclusive?: boolean;
}

/** A volume that is still on a node which is to be without any. */
export interface VolumeLeft {
  readonly id: string;
  /** Null: it is being carried, or will be. */
  readonly obstacle: string | null;
}

/**
 * A way to another process of the same space. Inside, `name` is a host name, and the variables of Docker's links say where it is:
 * `<NAME>_PORT_<port>_TCP_ADDR` and so on. What they say stays true while the target's instances come and go.
 */
export interface Link {
  /** A lower-case host label. */
  readonly name: string;
  /** Which `LinkRoute` it follows; null: a member of the same pod, so localhost. */
  readonly target: string | null;
  readonly port: number;
}

/** Where connections to a link's target go now. No backend: connections are refused. */
export interface LinkRoute {
  readonly target: string;
  readonly spaceId: string;
  readonly port: number;
  readonly backends: readonly { readonly host: string; readonly port: number }[];
}

export interface ResourceLimits {
  readonly memoryBytes: number;
  /** Relative weight; 1024 is one ordinary share. */
  readonly cpuShares: number;
  readonly pids: number;
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

export type InstanceExit = {
  readonly code: number | null;
  readonly signal: string | null;
  readonly outOfMemory: boolean;
  /** The time limit ended it. */
  readonly timedOut: boolean;
  /** It could not be started at all: why, in words for the app's owner. */
  readonly startError: string | null;
  readonly at: Date;
};

export interface EngineInstance {
  readonly id: string;
  readonly kind: InstanceSpec['kind'];
  readonly appId: string;
  readonly processType: string;
  readonly generation: string;
  readonly nodeId: string;
  /** Exited ones stay listed, with `exit`, until `remove`. */
  readonly state: 'starting' | 'running' | 'stopping' | 'exited';
  /** Where the router reaches its first port (its others are at the same host); null without a port or before it runs. */
  readonly address: { readonly host: string; readonly port: number } | null;
  readonly pid: number | null;
  readonly startedAt: Date | null;
  readonly exit: InstanceExit | null;
}

export interface InstanceStats {
  readonly id: string;
  readonly at: Date;
  readonly memory: {
    readonly usageBytes: number;
    readonly residentBytes: number;
    readonly cacheBytes: number;
    readonly limitBytes: number;
  };
  /** Seconds since the instance's start. */
  readonly cpu: { readonly userSeconds: number; readonly systemSeconds: number };
  readonly pids: number;
  /** Null where the kernel does not tell per instance. */
  readonly network: { readonly receivedBytes: number; readonly sentBytes: number } | null;
}

export interface ExecSpec {
  readonly command: readonly string[];
  readonly environment?: Environment;
  readonly terminal?: TerminalSize;
}

/** A running exec or an attached one-off. Streams have back-pressure; `exit` settles once, after both outputs ended. */
export interface ExecSession {
  readonly stdin: NodeJS.WritableStream;
  /** With a terminal everything arrives here and `stderr` is null. */
  readonly stdout: NodeJS.ReadableStream;
  readonly stderr: NodeJS.ReadableStream | null;
  readonly exit: Promise<InstanceExit>;
  resize(size: TerminalSize): Promise<void>;
  /** Sends a signal to the whole process group. */
  kill(signal: string): Promise<void>;
}

export interface EngineNode {
  readonly id: string;
  readonly address: string;
  /** `joining`: not a part yet, and `message` may say what is in the way. `down`: does not answer, its instances are out of the list. */
  readonly state: 'joining' | 'ready' | 'down';
  readonly message: string | null;
  readonly memoryBytes: number;
  readonly cpus: number;
  /** What runs there, and what is spoken with it, e.g. `Docker 20.10.24, API 1.41`. Absent: the platform itself. */
  readonly software?: string;
}

/** A machine as the platform wants it. */
export interface NodeSpec {
  /** Instances on it have this `nodeId`. */
  readonly id: string;
  /** `unix:///path` or `tcp://host:port`. */
  readonly address: string;
  /** PEM texts for mutual TLS; null: what the engine's own settings say. */
  readonly tls: { readonly ca: string; readonly certificate: string; readonly key: Secret } | null;
  readonly poolId: string;
  /** False: nothing new is started there; what runs stays. */
  readonly schedulable: boolean;
  /** Put on the node itself, for other tools to see. */
  readonly labels: Readonly<Record<string, string>>;
}

export interface EngineDescription {
  readonly kind: string;
  readonly nodes: readonly EngineNode[];
  /** One line for each kind of isolation: what is in force, and how (shown at boot). */
  readonly isolation: readonly {
    readonly what: 'user' | 'files' | 'processes' | 'network' | 'memory' | 'cpu' | 'pids';
    readonly inForce: boolean;
    readonly how: string;
  }[];
}

export interface Engine {
  describe(): Promise<EngineDescription>;
  /** Resolves when the instance is accepted (not yet ready). A failing start shows as `exited` with `startError`. */
  start(spec: InstanceSpec): Promise<EngineInstance>;
  /**
   * SIGTERM to the whole group, or the signal that its image asks for; SIGKILL after `graceMs`. Resolves when nothing of it is left. Unknown id:
   * nothing to do.
   */
  stop(id: string, graceMs: number): Promise<void>;
  /** Forgets an exited instance and deletes its working copy; stops it first (no grace) when it still runs. */
  remove(id: string): Promise<void>;
  list(): Promise<readonly EngineInstance[]>;
  stats(ids: readonly string[]): Promise<readonly InstanceStats[]>;
  exec(id: string, spec: ExecSpec): Promise<ExecSession>;
  /** The streams of a one-off started with `stdin` or `terminal`. */
  attach(id: string): Promise<ExecSession>;
  /** Sends a signal to every process of the instance. */
  signal(id: string, signal: string): Promise<void>;
  /** The whole table of links: replaces the one before, also for instances that run already. Connections that are open stay. */
  routeLinks(routes: readonly LinkRoute[]): Promise<void>;
  /** Deletes a volume and what is in it. Unknown id: nothing to do. Rejects with conflict `volume-in-use` while an instance mounts it. */
  removeVolume(id: string): Promise<void>;
  /** Ids of the volumes that are there. */
  volumes(): Promise<readonly string[]>;
  /**
   * Carries the volumes of a node that no instance uses to others of its pool, in the background, and gives those that are still there: to be
   * said again until there is none. Unknown node, or an engine of one machine: none.
   */
  carryVolumes(nodeId: string): Promise<readonly VolumeLeft[]>;
  /**
   * The whole table of machines: replaces the one before. Those that are new become part of the engine in the background, those that are
   * missing leave it; `describe` tells how far that is. An engine of one machine has nothing to do.
   */
  useNodes(nodes: readonly NodeSpec[]): Promise<void>;
  /** Calls `wake` after anything changed; several changes may give one call. Returns the way to stop. */
  watch(wake: () => void): () => void;
}
