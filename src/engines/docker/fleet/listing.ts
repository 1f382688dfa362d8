/** What runs on all machines together. An instance that is on two, after one of them was given up too early, is listed once. */
import { unavailable } from '../../../core/errors.ts';
import type { Logger } from '../../../lib/logger.ts';
import type { Names } from '../names.ts';
import type { Seen } from '../roster.ts';
import { removeContainer } from '../standing-container.ts';
import type { Member } from './member.ts';
import type { Members } from './members.ts';
import type { Quorum } from './quorum.ts';
import { nodeLabels, swarmNodes } from './swarm-api.ts';

export interface ListingParts {
  readonly members: Members;
  readonly quorum: Pick<Quorum, 'trusted'>;
  readonly names: Names;
  readonly logger: Logger;
}

interface Copy {
  readonly member: Member;
  readonly seen: Seen;
}

export class Listing {
  readonly #parts: ListingParts;
  #isHomeAlone: Promise<boolean> | null = null;

  constructor(parts: ListingParts) {
    this.#parts = parts;
  }

  /**
   * Rejects with `unavailable` when it is not known what runs: no node answers, one that is ours cannot say, the platform may be cut off, or the
   * table of nodes was not told yet.
   */
  async list(): Promise<readonly Seen[]> {
    const { members } = this.#parts;
    if (members.isAlone) {
      if (!members.isTold && !(await this.#homeIsAlone()))
        throw unavailable('the nodes of the Docker engine are not known yet');
      return members.home.look();
    }
    for (;;) {
      await members.settled();
      const asked = members.someReady();
      const found = await Promise.all(asked.map(async (member) => ({ member, seen: await member.glance() })));
      await this.#parts.quorum.trusted();
      // One that came back meanwhile has not been looked at.
      if (members.ready().every((member) => asked.includes(member)))
        return this.#once(found.filter(({ member }) => member.isReady));
    }
  }

  /** Asks all that may have an instance that nobody was seen with. Rejects with `unavailable` when none has it and one cannot say. */
  async search(id: string): Promise<readonly Member[]> {
    const asked = await Promise.allSettled(
      this.#parts.members.ready().map(async (member) => ((await member.node.roster.find(id)) === null ? [] : [member])),
    );
    const found = asked.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
    const failed = asked.find((result) => result.status === 'rejected');
    if (found.length === 0 && failed !== undefined) throw failed.reason;
    return found;
  }

  /** Without a table only this node's instances would be listed, and the platform would take the others for lost. */
  async #homeIsAlone(): Promise<boolean> {
    const { home } = this.#parts.members;
    this.#isHomeAlone ??= home.node.connected().then(async ({ Swarm }) => {
      const nodes = await swarmNodes(home.node.api);
      const { installId } = this.#parts.names;
      return nodes.every(({ ID, Spec }) => ID === Swarm.NodeID || Spec.Labels?.[nodeLabels.install] !== installId);
    });
    const isAlone = await this.#isHomeAlone.catch((error: unknown) => {
      this.#isHomeAlone = null;
      throw error;
    });
    if (!isAlone) this.#isHomeAlone = null;
    return isAlone;
  }

  #once(found: readonly { readonly member: Member; readonly seen: readonly Seen[] }[]): readonly Seen[] {
    const kept = new Map<string, Copy>();
    for (const { member, seen } of found) {
      for (const each of seen) {
        const copy = { member, seen: each };
        const other = kept.get(each.identity.id);
        if (other === undefined) kept.set(each.identity.id, copy);
        // One container, seen by two ways to its machine.
        else if (other.member.machineId !== member.machineId) {
          const [better, worse] = isBetter(copy, other) ? [copy, other] : [other, copy];
          kept.set(each.identity.id, better);
          this.#drop(worse);
        }
      }
    }
    return [...kept.values()].map(({ seen }) => seen);
  }

  /** Only its container: everything else of that id belongs to the other. */
  #drop({ member, seen: { identity } }: Copy): void {
    const { names, logger } = this.#parts;
    if (member.node.launches.identity(identity.id) !== undefined) return;
    logger.warn({ instance: identity.id, node: member.id }, 'an instance is on two nodes; one is taken away');
    removeContainer(member.node.api, names.instance(identity.id)).catch(() => {});
  }
}

/** The one that is being started is the one that the platform asked for last; one that runs is better than one that only may. */
function isBetter(one: Copy, other: Copy): boolean {
  const rank = ({ member, seen: { identity, instance } }: Copy): number => {
    if (member.node.launches.identity(identity.id) !== undefined) return 3;
    return { running: 2, stopping: 2, starting: 1, exited: 0 }[instance.state];
  };
  const startedAt = ({ seen: { instance } }: Copy): number => instance.startedAt?.getTime() ?? 0;
  return rank(one) > rank(other) || (rank(one) === rank(other) && startedAt(one) > startedAt(other));
}
