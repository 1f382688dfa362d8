/**
 * The machines through which the platform's router comes in to the spaces: each has a gateway to every space in which something runs
 * anywhere. A platform on its home node has that node's routes. One that stands elsewhere keeps routes of its own (platform-routes.ts): the
 * one of the whole block leads to one of these machines, and a second one stands by.
 */
import type { Logger } from '../../../lib/logger.ts';
import type { Member } from './member.ts';
import type { Members } from './members.ts';
import type { PlatformRoutes } from './platform-routes.ts';

export interface EntryPointsParts {
  readonly members: Members;
  /** Of this machine; null: somebody else leads to the home node. */
  readonly routes: PlatformRoutes | null;
  /** Whether this client sets things up; the others look on. */
  readonly isActive: boolean;
  readonly logger: Logger;
}

const openMs = 10_000;

export class EntryPoints {
  readonly #parts: EntryPointsParts;
  /** Where the route leads; null: nowhere yet. */
  #entry: Member | null = null;
  /** One that does not answer is waited for alone. */
  readonly #opening = new Set<Member>();

  constructor(parts: EntryPointsParts) {
    this.#parts = parts;
  }

  /** Resolves when the space can be reached, or could not be opened in time; the next round tries again. */
  async open(spaceId: string): Promise<void> {
    const opening = this.#members().map(({ node }) => node.parts.gateways.ensure(spaceId));
    const patience = new Promise<void>((resolve) => setTimeout(resolve, openMs).unref());
    await Promise.race([Promise.allSettled(opening), patience]);
  }

  /** Begins to bring the gateways up to what holds now; waits for none. */
  tend(): void {
    const { members, isActive, routes } = this.#parts;
    if (!isActive || (members.isAlone && routes === null)) return;
    const spaces = this.#spaces();
    const whole = new Set(this.#members());
    for (const member of members.ready()) {
      if (this.#opening.has(member)) continue;
      this.#opening.add(member);
      void this.#open(member, whole.has(member) ? spaces : spacesOf(member)).finally(() =>
        this.#opening.delete(member),
      );
    }
  }

  /** Brings the routes up to what holds now; never waits for a gateway, which the managers of the Swarm may keep waiting. */
  async lead(): Promise<void> {
    const { isActive, routes, members, logger } = this.#parts;
    if (!isActive || routes === null) return;
    const vias = members.all().flatMap(({ wire }) => (wire === null ? [] : [wire.theirs]));
    // Until the way to each is known, a route may be that of any of them.
    const areKnown = members.all().every(({ wire, isReady }) => wire !== null || isReady);
    if (members.isTold && areKnown) routes.keep(new Set(members.isBeside ? vias : []));
    const entry = this.#choose();
    this.#entry = entry;
    const via = entry?.wire?.theirs;
    if (entry !== null && via !== undefined && routes.leadBlock(via))
      logger.info({ node: entry.id, address: via }, 'spaces are reached by way of this node');
    await routes.tend();
  }

  async close(): Promise<void> {
    this.#entry = null;
    await this.#parts.routes?.close();
  }

  /** Those that have a gateway to every space. */
  #members(): readonly Member[] {
    const { members, routes } = this.#parts;
    if (members.isAlone) return [];
    if (routes === null || !members.isBeside) return members.ready().filter(({ isHome }) => isHome);
    const entry = this.#choose();
    if (entry === null) return [];
    const standby = members.ready().find((member) => member !== entry && !member.isGrey);
    return standby === undefined ? [entry] : [entry, standby];
  }

  /** It stays where it is for as long as that node is there. */
  #choose(): Member | null {
    const { members } = this.#parts;
    if (!members.isBeside) return null;
    const usable = members.ready().filter(({ wire }) => wire !== null);
    if (this.#entry !== null && usable.includes(this.#entry)) return this.#entry;
    const spaces = this.#spaces();
    const isOpen = ({ node }: Member): boolean => [...spaces].every((spaceId) => node.parts.gateways.isUp(spaceId));
    const answering = usable.filter(({ isGrey }) => !isGrey);
    return answering.find(isOpen) ?? answering[0] ?? usable[0] ?? null;
  }

  /** In which something runs, or is about to. */
  #spaces(): ReadonlySet<string> {
    return new Set(this.#parts.members.all().flatMap((member) => [...spacesOf(member)]));
  }

  async #open({ node, id }: Member, spaces: ReadonlySet<string>): Promise<void> {
    try {
      await Promise.all([...spaces].map((spaceId) => node.parts.gateways.ensure(spaceId)));
    } catch (error) {
      this.#parts.logger.warn({ error, node: id }, 'not every space can be reached through this node yet');
    }
  }
}

/** In which something runs there, or is about to. */
const spacesOf = (member: Member): ReadonlySet<string> =>
  new Set(member.seen().flatMap(({ instance, identity }) => (instance.state === 'exited' ? [] : [identity.spaceId])));
