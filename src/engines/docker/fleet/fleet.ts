/**
 * The Docker engine over its machines: says which of them does what is asked. With the home node alone everything is that node's own answer.
 * With several, a node that is down is left out, and one that hangs delays nobody for long.
 */
import { invalid, notFound } from '../../../core/errors.ts';
import type {
  EngineDescription,
  EngineInstance,
  ExecSession,
  ExecSpec,
  InstanceSpec,
  InstanceStats,
  LinkRoute,
  NodeSpec,
  VolumeLeft,
} from '../../../core/ports/engine.ts';
import type { Images } from '../../../core/ports/images.ts';
import { describeNodes } from '../describe.ts';
import type { DockerNode } from '../docker-node.ts';
import type { DockerEngine } from '../engine.ts';
import type { DockerEngineOptions } from '../settings.ts';
import { assembleFleet, type FleetParts } from './fleet-parts.ts';
import type { Member } from './member.ts';

/** Ids name containers. */
const idForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

export class Fleet implements DockerEngine {
  readonly images: Images;
  readonly #parts: FleetParts;
  readonly #wakers = new Set<() => void>();

  constructor(options: DockerEngineOptions) {
    this.#parts = assembleFleet(options, () => {
      for (const wake of this.#wakers) wake();
    });
    this.images = this.#parts.images;
  }

  async close({ everything = false } = {}): Promise<void> {
    const { members, tending, departures } = this.#parts;
    await tending.close();
    try {
      if (everything) await tending.removeEverything();
    } finally {
      await departures.close();
      await Promise.all(members.all().map((member) => member.close()));
    }
  }

  async describe(): Promise<EngineDescription> {
    const { members } = this.#parts;
    const { home } = members;
    if (members.isAlone) await home.present();
    return describeNodes(members.describe(), members.ready().at(0)?.info ?? home.info);
  }

  async start(spec: InstanceSpec): Promise<EngineInstance> {
    if (!idForm.test(spec.id)) throw invalid('id', 'id must be letters, digits and inner . _ -', 'malformed');
    return this.#parts.placing.start(spec);
  }

  async stop(id: string, graceMs: number): Promise<void> {
    await this.#everywhere(id, (node) => node.stop(id, graceMs));
  }

  async remove(id: string): Promise<void> {
    await this.#everywhere(id, (node) => node.remove(id));
  }

  async list(): Promise<readonly EngineInstance[]> {
    return (await this.#parts.listing.list()).map(({ instance }) => instance);
  }

  async stats(ids: readonly string[]): Promise<readonly InstanceStats[]> {
    const { members } = this.#parts;
    if (members.isAlone) return members.home.node.stats(ids);
    const asked = members.ready().filter((member) => ids.some((id) => member.has(id)));
    const found = await Promise.allSettled(asked.map(({ node }) => node.stats(ids)));
    return found.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
  }

  async exec(id: string, spec: ExecSpec): Promise<ExecSession> {
    return (await this.#holder(id)).exec(id, spec);
  }

  async attach(id: string): Promise<ExecSession> {
    return (await this.#holder(id)).attach(id);
  }

  async signal(id: string, signal: string): Promise<void> {
    await (await this.#holder(id)).signal(id, signal);
  }

  async routeLinks(routes: readonly LinkRoute[]): Promise<void> {
    const { members, shared, tending } = this.#parts;
    if (members.isAlone) await members.home.node.connected();
    shared.table.replace(routes);
    await tending.applyLinks();
  }

  async removeVolume(id: string): Promise<void> {
    await this.#parts.volumes.remove(id);
  }

  volumes(): Promise<readonly string[]> {
    return this.#parts.volumes.list();
  }

  carryVolumes(nodeId: string): Promise<readonly VolumeLeft[]> {
    return this.#parts.volumeLeaving.leave(nodeId);
  }

  async useNodes(nodes: readonly NodeSpec[]): Promise<void> {
    this.#parts.members.use(nodes);
  }

  watch(wake: () => void): () => void {
    this.#wakers.add(wake);
    return () => this.#wakers.delete(wake);
  }

  /** The node that has the instance. Throws not-found. */
  async #holder(id: string): Promise<DockerNode> {
    const [holder] = await this.#holders(id);
    if (holder === undefined) throw notFound('instance');
    return holder.node;
  }

  /** Whoever was seen with it; else whoever has it when all are asked. Rejects with `unavailable` when one that may have it cannot say. */
  async #holders(id: string): Promise<readonly Member[]> {
    const { members, listing } = this.#parts;
    if (members.isAlone) return [members.home];
    await members.settled();
    const seen = members.holdersOf(id);
    return seen.length > 0 ? seen : listing.search(id);
  }

  /** What was asked of a node that is down by now has happened: nothing of it answers. */
  async #everywhere(id: string, work: (node: DockerNode) => Promise<void>): Promise<void> {
    const { members } = this.#parts;
    await Promise.all(
      (await this.#holders(id)).map(async (member) => {
        try {
          await work(member.node);
        } catch (error) {
          if (members.isAlone || member.state !== 'down') throw error;
        }
      }),
    );
  }
}
