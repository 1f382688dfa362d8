/** What runs on a machine, as it was seen last, and what was started there since. */
import { setTimeout as delay } from 'node:timers/promises';
import type { EngineInstance, InstanceSpec } from '../../../core/ports/engine.ts';
import type { DockerNode } from '../docker-node.ts';
import { type Seen, startingInstance } from '../roster.ts';
import { rounds } from '../rounds.ts';

const lookMs = 5_000;
const greyLookMs = 300;

export class Sight {
  readonly #node: DockerNode;
  /** Done with what was seen before anybody is told of it. */
  readonly #before: (seen: readonly Seen[]) => Promise<void>;
  readonly #look = rounds(() => this.#lookNow());
  #seen: readonly Seen[] = [];
  /** Started since the last look that can have seen them. */
  readonly #added = new Map<string, Seen>();

  constructor(node: DockerNode, before: (seen: readonly Seen[]) => Promise<void>) {
    this.#node = node;
    this.#before = before;
  }

  seen(): readonly Seen[] {
    const ids = new Set(this.#seen.map(({ identity }) => identity.id));
    return [...this.#seen, ...[...this.#added.values()].filter(({ identity }) => !ids.has(identity.id))];
  }

  has(id: string): boolean {
    return this.#added.has(id) || this.#seen.some(({ identity }) => identity.id === id);
  }

  /** Starts it, seen from now on. `nodeId`: how its instances name the machine. */
  begin(spec: InstanceSpec, before: () => Promise<void>, nodeId: string): EngineInstance {
    const identity = this.#node.launches.begin(spec, before);
    const instance = startingInstance(identity, nodeId);
    this.#added.set(spec.id, { identity, instance });
    return instance;
  }

  /** What is there now; rejects when the daemon does not answer. */
  async look(): Promise<readonly Seen[]> {
    await this.#look();
    return this.seen();
  }

  /** As fresh as it can be had in a short time, which is shorter for one that did not answer just now; else what was seen last. */
  async glance(isGrey: boolean): Promise<readonly Seen[]> {
    const cancel = new AbortController();
    const patience = delay(isGrey ? greyLookMs : lookMs, undefined, { signal: cancel.signal, ref: false });
    await Promise.race([this.#look().catch(() => {}), patience.catch(() => {})]);
    cancel.abort();
    return this.seen();
  }

  /** The machine is lost. */
  forget(): void {
    this.#seen = [];
    this.#added.clear();
  }

  async #lookNow(): Promise<void> {
    const over = [...this.#added.keys()].filter((id) => this.#node.launches.identity(id) === undefined);
    const listed = await this.#node.list();
    await this.#before(listed);
    this.#seen = listed;
    for (const id of over) this.#added.delete(id);
  }
}
