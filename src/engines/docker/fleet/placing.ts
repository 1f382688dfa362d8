/** Sends a new instance to a machine, and brings there what it needs from others first. */
import { unavailable } from '../../../core/errors.ts';
import type { EngineInstance, InstanceSpec } from '../../../core/ports/engine.ts';
import { type Placement, type PlacementNode, place, type Wanted } from '../../common/placement.ts';
import { podKeyOf } from '../identity.ts';
import type { Names } from '../names.ts';
import type { DockerEngineOptions } from '../settings.ts';
import type { EntryPoints } from './entry-points.ts';
import type { FleetVolumes } from './fleet-volumes.ts';
import type { Member } from './member.ts';
import type { Members } from './members.ts';
import type { VolumeBook } from './volume-book.ts';
import { untilAlone } from './volume-users.ts';

export interface PlacingParts {
  readonly members: Members;
  readonly volumes: FleetVolumes;
  readonly book: VolumeBook;
  readonly entryPoints: EntryPoints;
  readonly names: Names;
  readonly log: Pick<DockerEngineOptions, 'logger' | 'clock' | 'logAppender'>;
}

export class Placing {
  readonly #parts: PlacingParts;
  /** A second start of the same instance waits for what the first decides. */
  readonly #deciding = new Map<string, Promise<EngineInstance>>();

  constructor(parts: PlacingParts) {
    this.#parts = parts;
  }

  /** Rejects with `unavailable` when no node answers; an instance that no node may have is accepted, and says why as its start error. */
  start(spec: InstanceSpec): Promise<EngineInstance> {
    const known = this.#deciding.get(spec.id);
    if (known !== undefined) return known;
    const starting = this.#parts.members.isAlone ? this.#startHome(spec) : this.#startSomewhere(spec);
    this.#deciding.set(spec.id, starting);
    const done = (): void => void this.#deciding.delete(spec.id);
    starting.then(done, done);
    return starting;
  }

  async #startHome(spec: InstanceSpec): Promise<EngineInstance> {
    const { members, book } = this.#parts;
    const { home } = members;
    const placement = place(wantedOf(spec), [{ ...snapshot(home, new Set()), ready: true }]);
    if ('refused' in placement) return home.node.start(spec, refuse(placement.refused));
    const ids = volumesOf(spec);
    await this.#giveUpLost(spec);
    if (this.#parts.volumes.lostOf(ids).length > 0) return home.node.start(spec, refuse(notFoundYet));
    for (const id of ids) book.placed(id, home.address);
    return home.node.start(spec, () => untilAlone(home.node.api, this.#parts.names, spec));
  }

  async #startSomewhere(spec: InstanceSpec): Promise<EngineInstance> {
    const { members, volumes, book, entryPoints } = this.#parts;
    await members.settled();
    const [holder] = members.holdersOf(spec.id);
    if (holder !== undefined) return holder.node.start(spec);
    const [first] = members.someReady();
    const ids = volumesOf(spec);
    await this.#giveUpLost(spec);
    const lie = ids.length === 0 ? new Map<string, ReadonlySet<string>>() : await volumes.find(ids);
    const nodes = members.all().map((member) => ({
      ...snapshot(member, lie.get(member.address) ?? new Set()),
      isGrey: member.isGrey,
    }));
    const placement = volumes.lostOf(ids).length > 0 ? { refused: notFoundYet } : placeNow(wantedOf(spec), nodes);
    if (placement === null) throw unavailable('the nodes that it may run on do not answer just now');
    if ('refused' in placement) return first.begin(spec, refuse(placement.refused));
    const chosen = members.all().find(({ id }) => id === placement.nodeId) ?? first;
    for (const id of ids) book.placed(id, chosen.address);
    return chosen.begin(spec, async () => {
      await Promise.all([...ids.map((id) => volumes.bring(id, chosen)), entryPoints.open(spec.spaceId)]);
      await untilAlone(chosen.node.api, this.#parts.names, spec);
    });
  }

  /** Says so where it is looked for: whose app it is did not ask for it. */
  async #giveUpLost({ appId, processType, mounts = [], id, seat = '' }: InstanceSpec): Promise<void> {
    const { logger, clock, logAppender } = this.#parts.log;
    const lost = new Set(await this.#parts.volumes.giveUp(mounts.map(({ volumeId }) => volumeId)));
    for (const { volumeId, path } of mounts.filter((mount) => lost.has(mount.volumeId))) {
      logger.warn({ volume: volumeId, appId }, 'a volume went with a node that was removed by force; it begins empty');
      const text = `at=error dynos="${processType}" desc="The volume at ${path} went with a node that was removed by force; it begins empty"`;
      const line = { at: clock.now(), source: 'platform', process: processType, instance: id, seat, text } as const;
      await logAppender?.append(`apps/${appId}`, [line]).catch(() => {});
    }
  }
}

/** Null: all that is in the way is a node that did not answer its last question, and will, or is lost in a moment. Pure. */
export function placeNow(
  wanted: Wanted,
  nodes: readonly (PlacementNode & { readonly isGrey: boolean })[],
): Placement | null {
  const { pod = null } = wanted;
  const hasPod = ({ instances }: PlacementNode): boolean => instances.some((each) => pod !== null && each.pod === pod);
  if (nodes.some((node) => node.ready && node.isGrey && hasPod(node))) return null;
  const placement = place(
    wanted,
    nodes.map((node) => ({ ...node, ready: node.ready && !node.isGrey })),
  );
  return 'refused' in placement && 'nodeId' in place(wanted, nodes) ? null : placement;
}

const refuse = (why: string) => (): Promise<void> => Promise.reject(new Error(why));

const volumesOf = ({ mounts = [] }: InstanceSpec): readonly string[] => mounts.map(({ volumeId }) => volumeId);

const notFoundYet =
  'its volume lay on a node that was removed, and not every other node could be asked for it at the moment';

const wantedOf = (spec: InstanceSpec) => ({ ...spec, pod: podKeyOf(spec) });

function snapshot(member: Member, volumes: ReadonlySet<string>): PlacementNode {
  const { wish, info, isReady, isHome } = member;
  const running = member.seen().filter(({ instance }) => instance.state !== 'exited');
  return {
    id: member.id ?? member.address,
    poolId: wish?.poolId ?? null,
    ready: isReady,
    schedulable: wish?.schedulable ?? isHome,
    memoryBytes: info?.MemTotal ?? 0,
    cpus: info?.NCPU ?? 0,
    volumes,
    instances: running.map(({ identity }) => ({
      appId: identity.appId,
      processType: identity.processType,
      memoryBytes: identity.memoryBytes,
      pod: identity.podKey,
    })),
  };
}
