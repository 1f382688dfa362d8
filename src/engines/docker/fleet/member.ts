/**
 * A machine of the fleet: its daemon, what the platform wants of it, whether it is there, and what was seen on it last. `ready` begins with a
 * look at what runs there and ends after some seconds of silence.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { BerthError, unavailable } from '../../../core/errors.ts';
import type { EngineInstance, EngineNode, InstanceSpec, NodeSpec } from '../../../core/ports/engine.ts';
import type { Logger } from '../../../lib/logger.ts';
import type { DaemonInfo } from '../api/shapes.ts';
import type { DockerNode } from '../docker-node.ts';
import type { Seen } from '../roster.ts';
import { ping, watchPulse } from './pulse.ts';
import { Sight } from './sight.ts';
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
  /** Makes what was seen there reachable over the wire, before anybody is told of it. */
  readonly reach: (wire: Wire, seen: readonly Seen[]) => Promise<void>;
  /** Whether others can take over what runs there. The only machine is never given up. */
  readonly canBeLost: () => boolean;
  /** Another one of the fleet that is the same machine, and to which this one gives way. */
  readonly twin: () => Member | null;
  /** Said before it takes anything over: another way to the same machine, which was used until now, lets go first. */
  readonly takeOver: () => Promise<void>;
}

/** A new leader takes every node for lost that did not register with it, which may be busy looking for it. */
const swarmDownMs = 30_000;
/** One that answers, but is of no use for so long, is given up like one that is silent. */
const unknownMs = 30_000;
const launchMs = 10_000;

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
  /** Swarm's id of the machine, whether it is used by this way to it or by another. */
  machineId: string | null = null;
  /** The Swarm knows it as ours; null: its managers were not asked yet. */
  isPart: boolean | null = null;
  /** The last question was in vain. */
  isGrey = false;
  readonly #parts: MemberParts;
  readonly #closed = new AbortController();
  readonly #pulse: Promise<void>;
  readonly #sight: Sight;
  #entering: Promise<void> | null = null;
  #swarmDownSince: number | null = null;
  #isSilent = false;
  #unknownSince = performance.now();

  constructor(parts: MemberParts, wish: Wish | null) {
    const { address, isHome, node } = parts;
    this.address = address;
    this.isHome = isHome;
    this.node = node;
    this.wish = wish;
    this.#parts = parts;
    this.#sight = new Sight(node, async (seen) => {
      if (this.wire !== null) await parts.reach(this.wire, seen);
    });
    if (isHome) node.begin();
    this.#pulse = watchPulse({
      ping: () => ping(node.api),
      answered: () => this.#answered(),
      silent: (isLost, error) => this.#silent(isLost, error),
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

  /** Something of ours may run there, and it cannot be said what: it is neither ready, nor lost, nor known to be new. */
  get isUnknown(): boolean {
    if (this.state !== 'joining' || this.isPart === false || this.#isSilent) return false;
    return !this.#isDownInSwarm() && performance.now() - this.#unknownSince < unknownMs;
  }

  /** What was seen on it last, with what was started there since. */
  seen(): readonly Seen[] {
    return this.#sight.seen();
  }

  /** Whether that instance was seen there, or started there. */
  has(id: string): boolean {
    return this.#sight.has(id);
  }

  /** Starts it there, listed from now on. */
  begin(spec: InstanceSpec, before: () => Promise<void>): EngineInstance {
    return this.#sight.begin(spec, before, this.id ?? '');
  }

  /** What is there now; rejects when the daemon does not answer. */
  look(): Promise<readonly Seen[]> {
    return this.#sight.look();
  }

  /** As fresh as it can be had in a short time, else what was seen last. */
  glance(): Promise<readonly Seen[]> {
    return this.#sight.glance(this.isGrey);
  }

  /** What the managers of the Swarm think of it; they may be cut off from one that answers us. */
  swarmSays(state: string): void {
    this.#swarmDownSince = state === 'down' ? (this.#swarmDownSince ?? performance.now()) : null;
    if (this.#isDownInSwarm() && this.#isListed()) this.#lose('the managers of the Swarm do not reach it');
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

  /** Of the only machine, which is never lost: resolves when it is ready and said how it is now. Rejects when it does not answer. */
  async present(): Promise<void> {
    this.info = await this.node.connected();
    this.version = await this.node.api.version();
    if (!this.isReady) await this.#entered();
    if (!this.isReady) throw unavailable(this.message ?? 'the Docker daemon cannot be used');
    this.message = null;
  }

  /** Lets go of the machine for another way to it; what is being started there may come up first. */
  async handOver(): Promise<void> {
    const patience = new AbortController();
    const late = delay(launchMs, undefined, { signal: patience.signal }).catch(() => {});
    await Promise.race([this.node.launches.settled(), late]).finally(() => patience.abort());
    await this.close();
  }

  /** Lets go; what runs there runs on. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.node.close();
    await this.#pulse;
  }

  #isDownInSwarm(): boolean {
    return this.#swarmDownSince !== null && performance.now() - this.#swarmDownSince >= swarmDownMs;
  }

  /** What ran there counts, until it is lost. */
  #isListed(): boolean {
    return this.isReady || (this.isPart === true && this.state === 'joining');
  }

  #answered(): void {
    this.isGrey = false;
    if (this.#isSilent) {
      this.#unknownSince = performance.now();
      // The only machine is never lost, and may have lost its power all the same.
      if (this.isReady) this.node.doubt();
    }
    this.#isSilent = false;
    if (this.isReady) this.#giveWay();
    if (this.isReady || this.#isDownInSwarm()) return;
    void this.#entered();
  }

  #entered(): Promise<void> {
    this.#entering ??= this.#enter().finally(() => {
      this.#entering = null;
    });
    return this.#entering;
  }

  /** What is on it is known before anybody is told that it is there. */
  async #enter(): Promise<void> {
    const { node, changed, turned, logger, takeOver } = this.#parts;
    try {
      const info = await node.connected();
      this.machineId = info.Swarm.NodeID;
      this.#refuseTwin();
      this.info = info;
      this.version = await node.api.version();
      this.wire = await this.#parts.findWire();
      await this.look();
      if (this.#closed.signal.aborted) return;
      await takeOver();
      if (this.#closed.signal.aborted) return;
      this.#refuseTwin();
      node.begin();
      this.state = 'ready';
      this.message = null;
      logger.info({ node: this.id, address: this.address }, 'a node is ready');
      turned();
    } catch (error) {
      const why = error instanceof Error ? error.message : 'it cannot be used';
      const isLong = performance.now() - this.#unknownSince >= unknownMs;
      if (isLong && this.#isListed()) this.#lose(why);
      else this.#say(why);
    }
    changed();
  }

  /** Throws `unavailable` where this is a second way to a machine: everything on it would be listed, and taken away, twice. */
  #refuseTwin(): void {
    const why = this.#twinned();
    if (why === null) return;
    this.info = null;
    this.isPart = false;
    throw unavailable(why);
  }

  /** The other way to the machine was found later, and is the one to be used. */
  #giveWay(): void {
    const why = this.#twinned();
    if (why === null) return;
    this.info = null;
    this.isPart = false;
    this.state = 'joining';
    this.#sight.forget();
    this.#say(why);
    this.#parts.turned();
  }

  #twinned(): string | null {
    const twin = this.#parts.twin();
    return twin === null
      ? null
      : `this machine is node ${twin.address} already: \`berth nodes remove ${this.address}\` takes this second address of it out again`;
  }

  #silent(isLost: boolean, error: unknown): void {
    this.isGrey = true;
    if (!isLost) return;
    this.#isSilent = true;
    const why = error instanceof BerthError ? error.message : 'it does not answer';
    if (this.#isListed()) this.#lose(why);
    else this.#say(why);
  }

  #lose(message: string): void {
    if (!this.#parts.canBeLost()) return;
    this.#parts.logger.warn({ node: this.id, address: this.address }, `a node is down: ${message}`);
    this.state = 'down';
    this.message = message;
    this.#sight.forget();
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
