/** The machines of the fleet, as the platform's table says: who is new, who has changed, who is to leave. The home node is always one. */
import { createHash } from 'node:crypto';
import { unavailable } from '../../../core/errors.ts';
import type { EngineNode, NodeSpec } from '../../../core/ports/engine.ts';
import type { TlsMaterial } from '../api/endpoint.ts';
import type { Member, Wish } from './member.ts';

export interface MembersParts {
  readonly homeAddress: string;
  /** Connects nothing yet; throws invalid for an address that is none. */
  readonly create: (address: string, tls: TlsMaterial | null, wish: Wish | null) => Member;
  /** It is in the table no more. */
  readonly leaving: (member: Member) => void;
  readonly changed: () => void;
}

export class Members {
  readonly home: Member;
  readonly #parts: MembersParts;
  /** By the id of their wish. */
  readonly #others = new Map<string, { readonly member: Member; readonly key: string }>();
  /** Those of the table that cannot even be asked. */
  #refused: readonly EngineNode[] = [];
  #first: Promise<unknown> | null = null;

  constructor(parts: MembersParts) {
    this.#parts = parts;
    this.home = parts.create(parts.homeAddress, null, null);
  }

  /** The home node first, then by id. */
  all(): readonly Member[] {
    const others = [...this.#others].toSorted(([one], [other]) => (one < other ? -1 : 1));
    return [this.home, ...others.map(([, { member }]) => member)];
  }

  ready(): readonly Member[] {
    return this.all().filter(({ isReady }) => isReady);
  }

  /** One machine behaves like a machine of its own: what fails there, fails. */
  get isAlone(): boolean {
    return this.#others.size === 0;
  }

  /** Whether every machine of the table is there, so that what is on none of them is nowhere. */
  get isWhole(): boolean {
    const areReady = this.isAlone || this.all().every(({ isReady }) => isReady);
    return this.isTold && this.#refused.length === 0 && areReady;
  }

  /** Whether the table was told; without one only the home node is there. */
  get isTold(): boolean {
    return this.#first !== null;
  }

  /** Resolves once it is known of every machine of the first table whether it is there. */
  async settled(): Promise<void> {
    await this.#first;
  }

  describe(): readonly EngineNode[] {
    const known = this.all().filter(({ wish, isHome }) => wish !== null || (isHome && this.isAlone));
    return [...known.map((member) => member.describe()), ...this.#refused];
  }

  /** Replaces the table. What is wrong with a machine's address or TLS is said by `describe`. */
  use(specs: readonly NodeSpec[]): void {
    const { homeAddress, create, leaving, changed } = this.#parts;
    this.home.wish = specs.find(({ address }) => address === homeAddress) ?? null;
    const others = specs.filter(({ address }) => address !== homeAddress);
    for (const [id, { member, key }] of this.#others) {
      const spec = others.find((each) => each.id === id);
      if (spec !== undefined && keyOf(spec) === key) member.wish = spec;
      else {
        this.#others.delete(id);
        // The same machine by another way of reaching it stays a part.
        if (spec?.address === member.address) void member.close();
        else leaving(member);
      }
    }
    this.#refused = [];
    for (const spec of others) {
      if (this.#others.has(spec.id)) continue;
      try {
        this.#others.set(spec.id, { member: create(spec.address, tlsOf(spec), spec), key: keyOf(spec) });
      } catch (error) {
        this.#refused = [...this.#refused, refusedNode(spec, error instanceof Error ? error.message : String(error))];
      }
    }
    this.#first ??= Promise.all(this.all().map((member) => member.settled()));
    changed();
  }

  /** Who has that instance, as far as was seen. */
  holdersOf(id: string): readonly Member[] {
    return this.all().filter((member) => member.has(id));
  }

  /** Rejects with `unavailable` when nobody is ready. */
  someReady(): readonly [Member, ...Member[]] {
    const [first, ...others] = this.ready();
    if (first === undefined) throw unavailable('no node of the Docker engine answers');
    return [first, ...others];
  }
}

const tlsOf = ({ tls }: NodeSpec): TlsMaterial | null =>
  tls === null ? null : { ca: tls.ca, certificate: tls.certificate, key: tls.key.reveal() };

/** What needs another connection when it changes. */
function keyOf({ address, tls }: NodeSpec): string {
  const parts = [address, tls?.ca, tls?.certificate, tls?.key.reveal()];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
}

const refusedNode = ({ id, address }: NodeSpec, message: string): EngineNode => ({
  ...{ id, address, message },
  ...{ state: 'joining', memoryBytes: 0, cpus: 0 },
});
