/** The machines of the fleet, as the platform's table says: who is new, who has changed, who is to leave. The home node is always one. */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { unavailable } from '../../../core/errors.ts';
import type { EngineNode, NodeSpec } from '../../../core/ports/engine.ts';
import type { TlsMaterial } from '../api/endpoint.ts';
import type { Member, Wish } from './member.ts';

export interface MembersParts {
  readonly homeAddress: string;
  /** Connects nothing yet; throws invalid for an address that is none. `before`: the way to the same machine that was used until now. */
  readonly create: (address: string, tls: TlsMaterial | null, wish: Wish | null, before: Member | null) => Member;
  /** It is in the table no more. */
  readonly leaving: (member: Member) => void;
  readonly changed: () => void;
}

interface Way {
  readonly member: Member;
  readonly key: string;
}

interface Entry extends Way {
  /** Another way to the same machine, to be used once it works. */
  readonly heir: Way | null;
  /** Why there is none, although the table wants one. */
  readonly refusal: string | null;
}

/** Longer than it takes to believe that a machine is silent. */
const settleMs = 10_000;
const againMs = 50;

export class Members {
  readonly home: Member;
  readonly #parts: MembersParts;
  /** By the id of their wish. */
  readonly #others = new Map<string, Entry>();
  /** Those of the table that cannot even be asked. */
  #refused: readonly EngineNode[] = [];
  #isTold = false;

  constructor(parts: MembersParts) {
    this.#parts = parts;
    this.home = parts.create(parts.homeAddress, null, null, null);
  }

  /** The home node first, then by id. */
  all(): readonly Member[] {
    return [this.home, ...[...this.#others].toSorted(byId).map(([, { member }]) => member)];
  }

  ready(): readonly Member[] {
    return this.all().filter(({ isReady }) => isReady);
  }

  /** One machine behaves like a machine of its own: what fails there, fails. */
  get isAlone(): boolean {
    return this.#others.size === 0;
  }

  /** Whether the platform's machine is none of them, as far as is known. */
  get isBeside(): boolean {
    return !this.home.isReady || this.home.wire !== null;
  }

  /** Whether every machine of the table is there, so that what is on none of them is nowhere. */
  get isWhole(): boolean {
    const areReady = this.isAlone || this.all().every(({ isReady }) => isReady);
    return this.isTold && this.#refused.length === 0 && areReady;
  }

  /** Whether the table was told; without one only the home node is there. */
  get isTold(): boolean {
    return this.#isTold;
  }

  /** Resolves once it is known of every machine whether it is there. Rejects with `unavailable` when one cannot be judged for long. */
  async settled(): Promise<void> {
    const until = performance.now() + settleMs;
    for (;;) {
      const unknown = this.all().find(({ isUnknown }) => isUnknown);
      if (unknown === undefined) return;
      const { address, message } = unknown;
      if (performance.now() > until)
        throw unavailable(`it is not known yet what runs on node ${address}${message === null ? '' : `: ${message}`}`);
      await delay(againMs);
    }
  }

  /** Resolves once the home node said which machine it is, or does not answer now. */
  async homeSettled(): Promise<void> {
    const until = performance.now() + settleMs;
    while (this.home.machineId === null && !this.home.isGrey && performance.now() < until) await delay(againMs);
  }

  /** Another one that is the same machine and comes first: the home node, else the one that was there before. */
  twinOf(member: Member): Member | null {
    const isFirst = ({ isHome, isReady }: Member): boolean => isHome || (isReady && !member.isReady);
    const others = member.isHome ? [] : this.#sameMachine(member);
    return others.find(isFirst) ?? null;
  }

  /** Whether the table still has the machine of a member that it names no more. */
  keeps(member: Member): boolean {
    return this.#sameMachine(member).length > 0;
  }

  describe(): readonly EngineNode[] {
    const isKnown = ({ wish, isHome }: Member): boolean => wish !== null || (isHome && this.isAlone);
    const home = isKnown(this.home) ? [this.home.describe()] : [];
    const others = [...this.#others].toSorted(byId).map(([, { member, heir, refusal }]) => {
      const node = member.describe();
      const obstacle = refusal ?? heir?.member.message ?? (heir === null ? null : 'it is being tried');
      return obstacle === null ? node : { ...node, message: `its new TLS material is not used yet: ${obstacle}` };
    });
    return [...home, ...others, ...this.#refused];
  }

  /** Replaces the table. What is wrong with a machine's address or TLS is said by `describe`. */
  use(specs: readonly NodeSpec[]): void {
    const { homeAddress, create, leaving, changed } = this.#parts;
    this.home.wish = specs.find(({ address }) => address === homeAddress) ?? null;
    const others = specs.filter(({ address }) => address !== homeAddress);
    for (const [id, entry] of this.#others) {
      const spec = others.find((each) => each.id === id);
      if (spec?.address === entry.member.address) this.#keep(entry, spec);
      else {
        this.#others.delete(id);
        void entry.heir?.member.close();
        leaving(entry.member);
      }
    }
    this.#refused = [];
    for (const spec of others) {
      if (this.#others.has(spec.id)) continue;
      try {
        const member = create(spec.address, tlsOf(spec), spec, null);
        this.#others.set(spec.id, { member, key: keyOf(spec), heir: null, refusal: null });
      } catch (error) {
        this.#refused = [...this.#refused, refusedNode(spec, messageOf(error))];
      }
    }
    this.#isTold = true;
    changed();
  }

  /** One of them became ready, or was lost. */
  turned(): void {
    for (const [id, { member, heir }] of this.#others) {
      if (heir === null || (member.isReady && !heir.member.isReady)) continue;
      this.#others.set(id, { ...heir, heir: null, refusal: null });
      void member.close();
    }
  }

  /** The same machine by another way of reaching it stays what it is until the new way works, or the old one does no more. */
  #keep(entry: Entry, spec: NodeSpec): void {
    const { member } = entry;
    const key = keyOf(spec);
    member.wish = spec;
    if (entry.heir?.key === key) {
      entry.heir.member.wish = spec;
      return;
    }
    void entry.heir?.member.close();
    const kept: Entry = { member, key: entry.key, heir: null, refusal: null };
    if (key === entry.key) return void this.#others.set(spec.id, kept);
    try {
      const heir = this.#parts.create(spec.address, tlsOf(spec), spec, member);
      heir.isPart = member.isPart;
      this.#others.set(spec.id, { ...kept, heir: { member: heir, key } });
      this.turned();
    } catch (error) {
      this.#others.set(spec.id, { ...kept, refusal: messageOf(error) });
    }
  }

  #sameMachine({ machineId, wish }: Member): readonly Member[] {
    return this.all().filter(
      (other) => machineId !== null && other.machineId === machineId && (other.isHome || other.wish?.id !== wish?.id),
    );
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

const byId = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number => (one < other ? -1 : 1);

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

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
