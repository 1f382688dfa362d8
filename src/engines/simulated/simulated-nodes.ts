/** The machines of the simulated engine: one of its own until it is told others. They can fail, heal, and refuse to join. */
import type { EngineNode, InstanceSpec, NodeSpec } from '../../core/ports/engine.ts';
import { type Placement, type PlacementNode, place } from '../common/placement.ts';

/** The machine that is there without a table. */
export const ownNodeId = 'simulated';

const MEMORY_BYTES = 8 * 2 ** 30;
const CPUS = 4;

export class SimulatedNodes {
  #table: readonly NodeSpec[] = [];
  readonly #failed = new Set<string>();
  /** By address: why a node does not join. */
  readonly #obstacles = new Map<string, string>();

  /** What was told last. */
  get table(): readonly NodeSpec[] {
    return this.#table;
  }

  /** Gives the ids of nodes that are no longer a part. */
  use(table: readonly NodeSpec[]): readonly string[] {
    const before = this.#ids();
    this.#table = table;
    const now = new Set(this.#ids());
    return before.filter((id) => !now.has(id));
  }

  fail(id: string): void {
    this.#failed.add(id);
  }

  heal(id: string): void {
    this.#failed.delete(id);
  }

  isUp(id: string): boolean {
    return !this.#failed.has(id);
  }

  /** Null lifts it. */
  obstruct(address: string, why: string | null): void {
    if (why === null) this.#obstacles.delete(address);
    else this.#obstacles.set(address, why);
  }

  describe(): readonly EngineNode[] {
    return this.#specs().map(({ id, address }) => {
      const obstacle = this.#obstacles.get(address) ?? null;
      const state = obstacle !== null ? 'joining' : this.isUp(id) ? 'ready' : 'down';
      return { id, address, state, message: obstacle, memoryBytes: MEMORY_BYTES, cpus: CPUS };
    });
  }

  /** `running`: what is on which node; `volumes`: what lies there. */
  place(
    spec: InstanceSpec,
    running: readonly { readonly nodeId: string; readonly spec: InstanceSpec }[],
    volumes: (nodeId: string) => readonly string[],
  ): Placement {
    const described = new Map(this.describe().map(({ id, state }) => [id, state]));
    return place(
      spec,
      this.#specs().map(
        ({ id, poolId, schedulable }): PlacementNode => ({
          id,
          poolId,
          schedulable,
          ready: described.get(id) === 'ready',
          memoryBytes: MEMORY_BYTES,
          cpus: CPUS,
          volumes: new Set(volumes(id)),
          instances: running
            .filter(({ nodeId }) => nodeId === id)
            .map(({ spec: { appId, processType, limits, pod = null } }) => ({
              appId,
              processType,
              memoryBytes: limits.memoryBytes,
              pod,
            })),
        }),
      ),
    );
  }

  /** Another node of its pool that takes new instances; null: none. */
  neighbourOf(id: string): string | null {
    const own = this.#table.find((node) => node.id === id);
    const ready = new Set(this.describe().flatMap((node) => (node.state === 'ready' ? [node.id] : [])));
    const takes = this.#table.find(
      (node) => node.id !== id && node.poolId === own?.poolId && node.schedulable && ready.has(node.id),
    );
    return takes?.id ?? null;
  }

  #specs(): readonly (Pick<NodeSpec, 'id' | 'address' | 'schedulable'> & { readonly poolId: string | null })[] {
    if (this.#table.length > 0) return this.#table;
    return [{ id: ownNodeId, address: '127.0.0.1', schedulable: true, poolId: null }];
  }

  #ids(): readonly string[] {
    return this.#specs().map(({ id }) => id);
  }
}
