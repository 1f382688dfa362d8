/**
 * The loop that makes nodes as their rows say, in the replica that holds the lead: it writes what the engine says of them, gives the
 * instances on nodes that are emptied another generation, and ends what was asked for. One look at a time; woken by rows and by the engine.
 */
import { nodeOperationKinds } from '../../core/nodes/node-operation.ts';
import type { ControlContext } from '../control-context.ts';
import { endNodeOperations } from './node-ends.ts';
import { isHurt, noteHealed } from './node-healing.ts';
import { instancesToMove, moveInstances, type NodesNow } from './node-moves.ts';
import { NodeRoom } from './node-room.ts';
import { NodeStates } from './node-states.ts';
import type { NodeTable } from './node-table.ts';

const BUSY_MS = 500;
const AGAIN_MS = 2_000;
/** Changes of instances come in swarms. */
const PAUSE_MS = 100;

export class NodeLoop {
  readonly #context: ControlContext;
  readonly #table: NodeTable;
  #states: NodeStates;
  #room: NodeRoom;
  #stopped = true;
  #looking: Promise<void> | null = null;
  #again = false;
  #hasNodes = false;
  #timer: NodeJS.Timeout | null = null;
  #unwatch: (() => void) | null = null;

  constructor(context: ControlContext, table: NodeTable) {
    this.#context = context;
    this.#table = table;
    this.#states = new NodeStates(context);
    this.#room = new NodeRoom(context);
  }

  start(): void {
    this.#stopped = false;
    this.#states = new NodeStates(this.#context);
    this.#room = new NodeRoom(this.#context);
    this.#unwatch = this.#context.engine.watch(() => {
      if (this.#hasNodes) this.wake();
    });
    this.wake();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unwatch?.();
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#looking;
  }

  /** Looks soon. Never throws. */
  wake(): void {
    if (this.#stopped) return;
    if (this.#looking !== null) {
      this.#again = true;
      return;
    }
    if (this.#timer) clearTimeout(this.#timer);
    this.#looking = this.#turn().finally(() => {
      this.#looking = null;
    });
  }

  async #turn(): Promise<void> {
    this.#again = false;
    let nextMs = AGAIN_MS;
    try {
      nextMs = (await this.look()) ? BUSY_MS : this.#context.limits.resyncMs;
    } catch (error) {
      this.#context.logger.warn({ err: error }, 'the nodes could not be looked at; it is tried again');
    }
    if (!this.#stopped) this.#timer = setTimeout(() => this.wake(), this.#again ? PAUSE_MS : nextMs);
  }

  /** One look; gives whether something is under way. What one step cannot do never stops the next. */
  async look(): Promise<boolean> {
    const { db, engine } = this.#context;
    // What is decided below holds for an engine that starts nothing on nodes that are emptied: it is told first.
    const rows = await this.#table.apply();
    const operations = await db.operations.openOf(nodeOperationKinds);
    this.#hasNodes = rows.length > 0 || operations.length > 0;
    if (!this.#hasNodes) return false;
    // In this order: an instance that is started meanwhile has its row.
    const running = await engine.list();
    const placed = await db.instances.placed();
    let nodes = rows;
    await this.#step('the states of the nodes could not be written', async () => {
      nodes = await this.#states.note(rows, (await engine.describe()).nodes, { placed, running });
    });
    const now: NodesNow = { nodes, operations, placed, running };
    await this.#step('instances that found no room could not be tried again', () => this.#room.note(nodes));
    await this.#step('instances could not be moved', () => moveInstances(this.#context, instancesToMove(now)));
    let open = operations.length;
    await this.#step('what was asked for of nodes could not be ended', async () => {
      open = await endNodeOperations(this.#context, now);
    });
    let hurt = nodes.filter(isHurt).length;
    await this.#step('it could not be said whether nodes are healed', async () => {
      hurt = await noteHealed(this.#context, now);
    });
    return (
      open > 0 || hurt > 0 || nodes.some((node) => node.state === 'joining' || (node.draining && node.instances > 0))
    );
  }

  async #step(failure: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#context.logger.warn({ err: error }, `${failure}; it is tried again`);
    }
  }
}
