/** Carries the volumes off a machine that is to be taken out, those of apps that do not run among them: a few at a time, and as often as it takes. */
import type { VolumeLeft } from '../../../core/ports/engine.ts';
import type { Logger } from '../../../lib/logger.ts';
import type { FleetVolumes } from './fleet-volumes.ts';
import type { Member } from './member.ts';
import type { Members } from './members.ts';
import type { VolumeBook } from './volume-book.ts';

export interface VolumeLeavingParts {
  readonly members: Members;
  readonly book: VolumeBook;
  readonly volumes: FleetVolumes;
  readonly logger: Logger;
}

const atOnce = 2;
/** What failed is carried from its beginning again. */
const againAfterMs = 60_000;

export class VolumeLeaving {
  readonly #parts: VolumeLeavingParts;
  readonly #under = new Set<string>();
  readonly #failed = new Map<string, { readonly message: string; readonly atMs: number }>();

  constructor(parts: VolumeLeavingParts) {
    this.#parts = parts;
  }

  /** As `Engine.carryVolumes`. */
  async leave(nodeId: string): Promise<readonly VolumeLeft[]> {
    const { members, book, volumes } = this.#parts;
    await members.settled();
    const from = members.all().find(({ id }) => id === nodeId);
    if (from === undefined) return [];
    const known = (): readonly string[] => book.volumesAt(from.address);
    if (!from.isReady) return known().map((id) => ({ id, obstacle: 'the node is out of reach' }));
    const there = new Set(await volumes.on(from));
    const used = volumesInUse(from);
    for (const id of known()) if (!there.has(id) && !used.has(id)) book.gone(from.address, id);
    return known().map((id) => ({ id, obstacle: used.has(id) ? null : this.#begin(id, from) }));
  }

  /** Gives what is in the way. */
  #begin(id: string, from: Member): string | null {
    if (this.#under.has(id)) return null;
    const failed = this.#failed.get(id);
    if (failed !== undefined && performance.now() - failed.atMs < againAfterMs) return failed.message;
    const to = this.#neighbourOf(from);
    if (to === null) return 'no other node of its pool takes it at the moment';
    if (this.#under.size < atOnce) {
      this.#under.add(id);
      void this.#carry(id, to);
    }
    return null;
  }

  async #carry(id: string, to: Member): Promise<void> {
    const { volumes, logger } = this.#parts;
    try {
      await volumes.bring(id, to);
      this.#failed.delete(id);
    } catch (error) {
      logger.warn({ error, volume: id }, 'a volume could not be carried off its node; it is tried again');
      const message = error instanceof Error ? error.message : 'it could not be carried';
      this.#failed.set(id, { message, atMs: performance.now() });
    } finally {
      this.#under.delete(id);
    }
  }

  /** With the fewest volumes of those that could run what mounts it. */
  #neighbourOf({ id, wish }: Member): Member | null {
    const { members, book } = this.#parts;
    const taking = members
      .ready()
      .filter(
        (other) => other.id !== id && !other.isGrey && other.wish?.schedulable && other.wish.poolId === wish?.poolId,
      );
    const count = ({ address }: Member): number => book.volumesAt(address).length;
    return taking.toSorted((one, other) => count(one) - count(other))[0] ?? null;
  }
}

/** Of what runs there, or is about to. */
const volumesInUse = (member: Member): ReadonlySet<string> =>
  new Set(member.seen().flatMap(({ instance, identity }) => (instance.state === 'exited' ? [] : identity.volumes)));
