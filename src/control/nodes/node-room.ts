/** Where a node takes instances again, those that no node would take are tried at once, and not when their back-off is over. */
import { START_FAILURE } from '../../core/instances/crash.ts';
import { isSchedulable, type NodeView } from '../../core/nodes/node.ts';
import type { ControlContext } from '../control-context.ts';

export class NodeRoom {
  readonly #context: Pick<ControlContext, 'db' | 'clock'>;
  /** Nodes that took instances at the last look, each with its pool. */
  #taking: ReadonlySet<string> = new Set();

  constructor(context: Pick<ControlContext, 'db' | 'clock'>) {
    this.#context = context;
  }

  async note(nodes: readonly NodeView[]): Promise<void> {
    const { db, clock } = this.#context;
    const before = this.#taking;
    const taking = nodes.filter((node) => node.state === 'ready' && isSchedulable(node));
    const pools = new Set(taking.filter((node) => !before.has(placeOf(node))).map(({ poolId }) => poolId));
    for (const poolId of pools) {
      await db.transaction(async (stores) => {
        for (const appId of await stores.instances.hurry(poolId, START_FAILURE, clock.now()))
          await stores.wake('app', appId);
      });
    }
    this.#taking = new Set(taking.map(placeOf));
  }
}

const placeOf = ({ id, poolId }: NodeView): string => `${id} ${poolId}`;
