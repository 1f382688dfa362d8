/**
 * The machines through which the platform's router comes in to the spaces: each has a gateway to every space in which something runs
 * anywhere. A platform beside its home node has that node's routes. One that stands elsewhere keeps a route of its own to the whole block of
 * addresses, by way of one node, and a second node stands by.
 */
import { run } from '../../../lib/exec.ts';
import type { Logger } from '../../../lib/logger.ts';
import type { Member } from './member.ts';
import type { Members } from './members.ts';

export interface EntryPointsParts {
  readonly members: Members;
  readonly addressPool: string;
  /** Whether this machine's route is kept here; else somebody leads it to the home node. */
  readonly keepsRoute: boolean;
  /** Whether this client sets things up; the others look on. */
  readonly isActive: boolean;
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
    const work = this.#members().map(async ({ node, id }) => {
      try {
        await Promise.all([...spaces].map((spaceId) => node.parts.gateways.ensure(spaceId)));
      } catch (error) {
        logger.warn({ error, node: id }, 'not every space can be reached through this node yet');
      }
    });
    await Promise.all(work);
  }

  /** Brings the route up to what holds now; never waits for a gateway, which the managers of the Swarm may keep waiting. */
  async lead(): Promise<void> {
    const { isActive, keepsRoute } = this.#parts;
    if (!isActive || !keepsRoute) return;
    const entry = this.#choose();
    if (entry !== null && entry !== this.#entry) await this.#route(entry);
  }

  async close(): Promise<void> {
    const { keepsRoute, addressPool } = this.#parts;
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
    const seen = this.#parts.members.all().flatMap((member) => member.seen());
    return new Set(seen.flatMap(({ instance, identity }) => (instance.state === 'exited' ? [] : [identity.spaceId])));
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
