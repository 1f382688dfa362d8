/** What the fleet does by itself, again and again: the Swarm's list of nodes, firewalls, ways in to the spaces, and what is not needed any more. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../../lib/logger.ts';
import type { Identity } from '../identity.ts';
import type { Roster } from '../roster.ts';
import { rounds } from '../rounds.ts';
import type { SharedParts } from '../shared-parts.ts';
import { removeContainer } from '../standing-container.ts';
import type { EntryPoints } from './entry-points.ts';
import type { FleetVolumes } from './fleet-volumes.ts';
import { Linking } from './linking.ts';
import type { Member } from './member.ts';
import type { Members } from './members.ts';
import type { Membership } from './membership.ts';
import type { NodeAddresses } from './node-addresses.ts';

export interface TendingParts {
  readonly shared: SharedParts;
  readonly members: Members;
  readonly membership: Membership;
  readonly entryPoints: EntryPoints;
  readonly addresses: NodeAddresses;
  readonly volumes: FleetVolumes;
  /** Whether this client sets things up; the others look on. */
  readonly isActive: boolean;
  readonly logger: Logger;
}

const everyMs = 2_000;
const pruneMs = 60_000;
/** For what is under way when the server ends: a node that hangs must not keep it. */
const closeMs = 10_000;

export class Tending {
  readonly #parts: TendingParts;
  readonly #linking: Linking;
  readonly #timers: readonly NodeJS.Timeout[];
  /** Each at its own pace: none waits for what another one is busy with. */
  readonly #tasks: readonly (() => Promise<void>)[];
  /** Containers that had not started when it was looked last. */
  readonly #unstarted = new WeakMap<Member, ReadonlySet<string>>();
  #isClosed = false;

  constructor(parts: TendingParts) {
    const { members, membership, entryPoints, addresses, shared, isActive, logger } = parts;
    this.#parts = parts;
    this.#linking = new Linking({ members, places: shared.places, logger });
    this.#tasks = [
      this.#task(async () => this.#linking.goOn()),
      this.#task(() => entryPoints.lead()),
      this.#task(async () => entryPoints.tend()),
      this.#task(async () => {
        if (members.isTold && (isActive || !members.isAlone)) await membership.tend();
      }),
      this.#task(async () => {
        // What is started on an only machine may be so before the way to it is known.
        if (isActive && (!members.isAlone || members.home.wire !== null)) await addresses.tend();
      }),
    ];
    this.#timers = [setInterval(() => this.hurry(), everyMs), setInterval(() => void this.#prune(), pruneMs)];
    for (const timer of this.#timers) timer.unref();
  }

  /** Something changed that the next round should not wait for. */
  hurry(): void {
    for (const task of this.#tasks) void task();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#timers) clearInterval(timer);
    const cancel = new AbortController();
    const patience = delay(closeMs, undefined, { signal: cancel.signal }).catch(() => {});
    const over = Promise.all([...this.#tasks.map((task) => task()), this.#linking.settled()]);
    await Promise.race([over, patience]).finally(() => cancel.abort());
  }

  /** Puts the table of links in force wherever somebody follows one, as `Linking.apply`. */
  async applyLinks(): Promise<void> {
    await this.#linking.apply();
  }

  /** Nothing of this install is left on any node but images and volumes. */
  async removeEverything(): Promise<void> {
    const { members, shared, entryPoints } = this.#parts;
    // Who cannot say what it has is left, as one that is down is.
    await members.settled().catch(() => {});
    const present = members.isAlone ? [members.home] : members.ready();
    await Promise.all(present.map(({ node }) => node.clear()));
    await this.#removeSpaces(present, () => false);
    await Promise.all(present.map(({ node }) => node.lower()));
    shared.networks.forget();
    await entryPoints.close();
  }

  #task(work: () => Promise<void>): () => Promise<void> {
    return rounds(async () => {
      if (this.#isClosed) return;
      await work().catch((error: unknown) =>
        this.#parts.logger.debug({ error }, 'the fleet is not as it should be yet'),
      );
    });
  }

  async #prune(): Promise<void> {
    const { members, shared, volumes, isActive, logger } = this.#parts;
    // Who is away may still have something in a space.
    if (!isActive || members.all().some(({ isReady, isPart }) => !isReady && isPart !== false)) return;
    try {
      const present = members.isAlone ? [members.home] : members.ready();
      const containers = (await Promise.all(present.map((member) => this.#containers(member)))).flat();
      const known = (): readonly Identity[] => [
        ...containers.map(({ identity }) => identity),
        ...members.all().flatMap(({ node }) => node.launches.identities()),
      ];
      await this.#removeSpaces(present, (spaceId) => known().some((identity) => identity.spaceId === spaceId));
      shared.places.prune((spaceId, target) =>
        known().some((each) => each.spaceId === spaceId && target in each.places),
      );
      await volumes.tidy();
    } catch (error) {
      logger.debug({ error }, 'nothing was tidied up');
    }
  }

  /** Those of one node, but for what was made long ago and never started: whoever wants it misses it, and starts it anew. */
  async #containers(member: Member): Promise<Awaited<ReturnType<Roster['containers']>>> {
    const { roster, launches, api } = member.node;
    const all = await roster.containers();
    const before = this.#unstarted.get(member);
    const unstarted = all.filter(
      ({ identity, summary }) =>
        summary.State === 'created' && identity.startError === null && launches.identity(identity.id) === undefined,
    );
    this.#unstarted.set(member, new Set(unstarted.map(({ summary }) => summary.Id)));
    const old = unstarted.filter(({ summary }) => before?.has(summary.Id) === true);
    await Promise.all(old.map(({ summary }) => removeContainer(api, summary.Id)));
    return all.filter((each) => !old.includes(each));
  }

  /** Takes the networks of spaces away that nothing is in. */
  async #removeSpaces(present: readonly Member[], inUse: (spaceId: string) => boolean): Promise<void> {
    const { shared, logger } = this.#parts;
    for (const network of await shared.networks.list()) {
      if (inUse(network.spaceId)) continue;
      const empty = async (): Promise<void> => {
        await Promise.all(present.map(({ node }) => node.parts.gateways.remove(network)));
      };
      await shared.networks
        .remove(network, empty)
        .catch((error: unknown) =>
          logger.warn({ error, spaceId: network.spaceId }, 'the network of an empty space stays'),
        );
    }
  }
}
