/**
 * Puts the table of links in force on every machine, on each at its own pace: one that cannot take it now, or hangs, takes it later, and whoever
 * tells of a change waits for it once and for a short time.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../../lib/logger.ts';
import type { LinkPlaces } from '../network/link-places.ts';
import { rounds } from '../rounds.ts';
import type { Member } from './member.ts';
import type { Members } from './members.ts';

export interface LinkingParts {
  readonly members: Members;
  readonly places: Pick<LinkPlaces, 'spaces'>;
  readonly logger: Logger;
}

/** Longer than a machine takes that is only busy. */
const patienceMs = 10_000;

export class Linking {
  readonly #parts: LinkingParts;
  /** Of the table of now; 0: there was none yet. */
  #version = 0;
  /** The version that each machine has. */
  readonly #has = new WeakMap<Member, number>();
  /** Those that did not take one in time, and none since. */
  readonly #late = new WeakSet<Member>();
  readonly #rounds = new WeakMap<Member, () => Promise<void>>();
  readonly #underWay = new Map<Member, Promise<void>>();

  constructor(parts: LinkingParts) {
    this.#parts = parts;
  }

  /**
   * The table has changed: resolves when all machines have it, but for those that could not take it in time. One machine alone rejects when it
   * cannot.
   */
  async apply(): Promise<void> {
    const { members, places } = this.#parts;
    this.#version += 1;
    if (!members.isAlone) {
      await Promise.all(members.ready().map((member) => this.#inTime(member)));
      return;
    }
    const { home } = members;
    const version = this.#version;
    await home.node.parts.gateways.apply(places.spaces());
    this.#has.set(home, version);
  }

  /** Goes on with those that do not have the table of now; waits for none. */
  goOn(): void {
    for (const member of this.#parts.members.all()) {
      // What a machine had that was lost is made anew when it comes back, perhaps while the table changes.
      if (!member.isReady) this.#has.delete(member);
      else if (!this.#isDone(member) && !this.#underWay.has(member)) void this.#bring(member);
    }
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay.values());
  }

  async #inTime(member: Member): Promise<void> {
    const done = this.#bring(member);
    if (this.#late.has(member)) return;
    const cancel = new AbortController();
    const patience = delay(patienceMs, true, { signal: cancel.signal, ref: false }).catch(() => false);
    const isLate = await Promise.race([done.then(() => false), patience]).finally(() => cancel.abort());
    if (!isLate) return;
    this.#late.add(member);
    this.#parts.logger.warn({ node: member.id }, 'a node takes long for new links; nobody waits for it any more');
  }

  /** Never rejects. Resolves after a round that began after it was asked. */
  #bring(member: Member): Promise<void> {
    const round = this.#rounds.get(member) ?? rounds(() => this.#bringNow(member));
    this.#rounds.set(member, round);
    const done = round();
    this.#underWay.set(member, done);
    void done.then(() => {
      if (this.#underWay.get(member) === done) this.#underWay.delete(member);
    });
    return done;
  }

  async #bringNow(member: Member): Promise<void> {
    const { members, logger } = this.#parts;
    const version = this.#version;
    // One that was taken out goes on saying that it is ready.
    if (this.#isDone(member) || !members.ready().includes(member)) return;
    const { gateways } = member.node.parts;
    const own = member.seen().map(({ identity }) => identity.spaceId);
    try {
      await gateways.apply([...own, ...gateways.spaces()]);
      // What a late one was told before may come into force only now, in any order: it is told once more.
      if (!this.#late.delete(member)) this.#has.set(member, version);
    } catch (error) {
      logger.warn({ error, node: member.id }, 'a node does not have the links of now yet');
    }
  }

  #isDone(member: Member): boolean {
    return this.#version === 0 || this.#has.get(member) === this.#version;
  }
}
