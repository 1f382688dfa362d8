/**
 * The machines through which the platform's router comes in to the spaces: each has a gateway to every space in which something runs
 * anywhere. A platform on its home node has that node's routes. One that stands elsewhere keeps routes of its own: to each instance by way of
 * its node (instance-routes.ts), and to the whole block of addresses by way of one node; a second node stands by.
 */
import { run } from '../../../lib/exec.ts';
import type { Logger } from '../../../lib/logger.ts';
import type { InstanceRoutes } from './instance-routes.ts';
import type { Member } from './member.ts';
import type { Members } from './members.ts';

export interface EntryPointsParts {
  readonly members: Members;
  readonly addressPool: string;
  /** Whether this machine's route is kept here; else somebody leads it to the home node. */
  readonly keepsRoute: boolean;
  /** Whether this client sets things up; the others look on. */
  readonly isActive: boolean;
  /** Null: what runs on another node is reached through the overlay. */
  readonly instanceRoutes: InstanceRoutes | null;
  readonly logger: Logger;
}

const environment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
const commandMs = 10_000;
const openMs = 10_000;

export class EntryPoints {
  readonly #parts: EntryPointsParts;
  /** Where the route leads; null: nowhere yet. */
  #entry: Member | null = null;
  /** What is wrong with it, as it was said. */
  #trouble: string | null = null;

  constructor(parts: EntryPointsParts) {
    this.#parts = parts;
  }

  /** Resolves when the space can be reached, or could not be opened in time; the next round tries again. */
  async open(spaceId: string): Promise<void> {
    const opening = this.#members().map(({ node }) => node.parts.gateways.ensure(spaceId));
    const patience = new Promise<void>((resolve) => setTimeout(resolve, openMs).unref());
    await Promise.race([Promise.allSettled(opening), patience]);
  }

  /** Brings the gateways up to what holds now. */
  async tend(): Promise<void> {
    const { members, isActive, keepsRoute, logger } = this.#parts;
    if (!isActive || (members.isAlone && !keepsRoute)) return;
    const spaces = this.#spaces();
    const whole = new Set(this.#members());
    const work = members.ready().map(async (member) => {
      const { node, id } = member;
      try {
        const wanted = whole.has(member) ? spaces : spacesOf(member);
        await Promise.all([...wanted].map((spaceId) => node.parts.gateways.ensure(spaceId)));
      } catch (error) {
        logger.warn({ error, node: id }, 'not every space can be reached through this node yet');
      }
    });
    await Promise.all(work);
  }

  /** Brings the routes up to what holds now; never waits for a gateway, which the managers of the Swarm may keep waiting. */
  async lead(): Promise<void> {
    const { isActive, keepsRoute, members, instanceRoutes } = this.#parts;
    if (!isActive || !keepsRoute) return;
    const vias = members.all().flatMap(({ wire }) => (wire === null ? [] : [wire.theirs]));
    // Until the way to each is known, a route may be that of any of them.
    if (members.isTold && vias.length === members.all().length) await instanceRoutes?.keep(new Set(vias));
    const entry = this.#choose();
    if (entry !== null && entry !== this.#entry) await this.#route(entry);
  }

  async close(): Promise<void> {
    const { keepsRoute, addressPool, instanceRoutes } = this.#parts;
    await instanceRoutes?.close();
    if (!keepsRoute || this.#entry === null) return;
    this.#entry = null;
    await run(['ip', 'route', 'del', addressPool], { environment, timeoutMs: commandMs });
  }

  /** Those that have a gateway to every space. */
  #members(): readonly Member[] {
    const { members, keepsRoute } = this.#parts;
    if (members.isAlone) return [];
    if (!keepsRoute) return members.ready().filter(({ isHome }) => isHome);
    const entry = this.#choose();
    if (entry === null) return [];
    const standby = members.ready().find((member) => member !== entry && !member.isGrey);
    return standby === undefined ? [entry] : [entry, standby];
  }

  /** It stays where it is for as long as that node is there. */
  #choose(): Member | null {
    const { members } = this.#parts;
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

  async #route(entry: Member): Promise<void> {
    const { addressPool, logger } = this.#parts;
    const host = entry.wire?.theirs;
    if (host === undefined) return;
    const result = await run(['ip', 'route', 'replace', addressPool, 'via', host], {
      environment,
      timeoutMs: commandMs,
    });
    if (result.code !== 0) return this.#warn(`no route to the spaces by way of ${host}: ${result.stderr.trim()}`);
    this.#entry = entry;
    this.#trouble = null;
    logger.info({ node: entry.id, address: host }, 'spaces are reached by way of this node');
  }

  /** Every round meets it again, and says it once. */
  #warn(trouble: string): void {
    if (this.#trouble !== trouble)
      this.#parts.logger.warn(
        { trouble },
        'requests do not reach apps: nodes must be in one network segment with the platform, or BERTH_DOCKER_ADDRESS_POOL be routed to them',
      );
    this.#trouble = trouble;
  }
}

/** In which something runs there, or is about to. */
const spacesOf = (member: Member): ReadonlySet<string> =>
  new Set(member.seen().flatMap(({ instance, identity }) => (instance.state === 'exited' ? [] : [identity.spaceId])));
