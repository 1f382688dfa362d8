/**
 * A machine of the fleet: its daemon, what the platform wants of it, whether it is there, and what was seen on it last. `ready` begins with a
 * look at what runs there and ends after some seconds of silence.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { EngineInstance, EngineNode, InstanceSpec, NodeSpec } from '../../../core/ports/engine.ts';
import type { Logger } from '../../../lib/logger.ts';
import type { DaemonInfo } from '../api/shapes.ts';
import type { DockerNode } from '../docker-node.ts';
import { type Seen, startingInstance } from '../roster.ts';
import { rounds } from '../rounds.ts';
import { watchPulse } from './pulse.ts';
import type { Wire } from './wire.ts';

export type Wish = Pick<NodeSpec, 'id' | 'poolId' | 'schedulable' | 'labels'>;

export interface MemberParts {
  readonly address: string;
  readonly isHome: boolean;
  readonly node: DockerNode;
  readonly logger: Logger;
  readonly changed: () => void;
  /** It became ready, or was lost. */
  readonly turned: () => void;
  readonly findWire: () => Promise<Wire | null>;
  /** Whether others can take over what runs there. The only machine is never given up. */
  readonly canBeLost: () => boolean;
}

const lookMs = 5_000;
const greyLookMs = 300;
const pingMs = 2_000;
const swarmDownMs = 10_000;

export class Member {
  readonly address: string;
  readonly isHome: boolean;
  readonly node: DockerNode;
  /** Null: the table does not name it. */
  wish: Wish | null;
  state: EngineNode['state'] = 'joining';
  message: string | null = null;
  /** What it said of itself last. */
  info: DaemonInfo | null = null;
  /** The version of the API that is spoken with it. */
  version = '';
  /** The way to it over the network; null: not known, or the same machine. */
  wire: Wire | null = null;
  /** The Swarm knows it as ours. */
  isPart = false;
  /** The last question was in vain. */
  isGrey = false;
  readonly #parts: MemberParts;
  readonly #closed = new AbortController();
  readonly #settled = Promise.withResolvers<void>();
  readonly #pulse: Promise<void>;
  readonly #look = rounds(() => this.#lookNow());
  #seen: readonly Seen[] = [];
  /** Started here since the last look that can have seen them. */
  readonly #added = new Map<string, Seen>();
  #entering: Promise<void> | null = null;
  #swarmDownSince: number | null = null;

  constructor(parts: MemberParts, wish: Wish | null) {
    const { address, isHome, node } = parts;
    this.address = address;
    this.isHome = isHome;
    this.node = node;
    this.wish = wish;
    this.#parts = parts;
    if (isHome) node.begin();
    this.#pulse = watchPulse({
      ping: async () => void (await node.api.call('GET', '/_ping', { timeoutMs: pingMs })),
      answered: () => this.#answered(),
      silent: (isLost) => this.#silent(isLost),
      signal: this.#closed.signal,
    });
  }

  /** As its instances name it; null while Swarm gave it no name either. */
  get id(): string | null {
    return this.wish?.id ?? this.info?.Swarm.NodeID ?? null;
  }

  get isReady(): boolean {
    return this.state === 'ready';
  }

  /** Resolves once it is known whether it is there. */
  settled(): Promise<void> {
    return this.#settled.promise;
  }

  /** What was seen on it last, with what was started there since. */
  seen(): readonly Seen[] {
    const ids = new Set(this.#seen.map(({ identity }) => identity.id));
    return [...this.#seen, ...[...this.#added.values()].filter(({ identity }) => !ids.has(identity.id))];
  }

  /** Whether that instance was seen there, or started there. */
  has(id: string): boolean {
    return this.#added.has(id) || this.#seen.some(({ identity }) => identity.id === id);
  }

  /** Starts it there, listed from now on. */
  begin(spec: InstanceSpec, before: () => Promise<void>): EngineInstance {
    const identity = this.node.launches.begin(spec, before);
    const instance = startingInstance(identity, this.id ?? '');
    this.#added.set(spec.id, { identity, instance });
    return instance;
  }

  /** What is there now; rejects when the daemon does not answer. */
  async look(): Promise<readonly Seen[]> {
    await this.#look();
    return this.seen();
  }

  /** As fresh as it can be had in a short time, else what was seen last. */
  async glance(): Promise<readonly Seen[]> {
    const cancel = new AbortController();
    const patience = delay(this.isGrey ? greyLookMs : lookMs, undefined, { signal: cancel.signal, ref: false });
    await Promise.race([this.#look().catch(() => {}), patience.catch(() => {})]);
    cancel.abort();
    return this.seen();
  }

  /** What the managers of the Swarm think of it; they may be cut off from one that answers us. */
  swarmSays(state: string): void {
    this.#swarmDownSince = state === 'down' ? (this.#swarmDownSince ?? performance.now()) : null;
    if (this.#isDownInSwarm() && this.isReady) this.#lose('the managers of the Swarm do not reach it');
  }

  describe(): EngineNode {
    const { info } = this;
    return {
      id: this.id ?? this.address,
      address: this.wish === null && info !== null ? info.Swarm.NodeAddr : this.address,
      state: this.state,
      message: this.message,
      memoryBytes: info?.MemTotal ?? 0,
      cpus: info?.NCPU ?? 0,
      ...(info === null ? {} : { software: `Docker ${info.ServerVersion}, API ${this.version}` }),
    };
  }

  /** Lets go; what runs there runs on. */
  async close(): Promise<void> {
    this.#closed.abort();
    this.#settled.resolve();
    await this.node.close();
    await this.#pulse;
  }

  async #lookNow(): Promise<void> {
    const over = [...this.#added.keys()].filter((id) => this.node.launches.identity(id) === undefined);
    this.#seen = await this.node.list();
    for (const id of over) this.#added.delete(id);
  }

  #isDownInSwarm(): boolean {
    return this.#swarmDownSince !== null && performance.now() - this.#swarmDownSince >= swarmDownMs;
  }

  #answered(): void {
    this.isGrey = false;
    if (this.isReady || this.#isDownInSwarm()) return;
    this.#entering ??= this.#enter().finally(() => {
      this.#entering = null;
    });
  }

  /** What is on it is known before anybody is told that it is there. */
  async #enter(): Promise<void> {
    const { node, changed, turned, logger } = this.#parts;
    try {
      this.info = await node.connected();
      this.version = await node.api.version();
      this.wire = await this.#parts.findWire();
      await this.look();
      if (this.#closed.signal.aborted) return;
      node.begin();
      this.state = 'ready';
      this.message = null;
      logger.info({ node: this.id, address: this.address }, 'a node is ready');
      turned();
    } catch (error) {
      this.#say(error instanceof Error ? error.message : 'it cannot be used');
    }
    this.#settled.resolve();
    changed();
  }

  #silent(isLost: boolean): void {
    this.isGrey = true;
    if (!isLost) return;
    if (this.isReady || (this.isPart && this.state === 'joining')) this.#lose('it does not answer');
    else this.#say('it does not answer');
    this.#settled.resolve();
  }

  #lose(message: string): void {
    if (!this.#parts.canBeLost()) return;
    this.#parts.logger.warn({ node: this.id, address: this.address }, `a node is down: ${message}`);
    this.state = 'down';
    this.message = message;
    this.#seen = [];
    this.#added.clear();
    this.node.lose();
    this.#parts.turned();
    this.#parts.changed();
  }

  #say(message: string): void {
    if (this.message === message) return;
    this.message = message;
    this.#parts.changed();
  }
}
