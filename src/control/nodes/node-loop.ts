/**
 * The loop that makes nodes as their rows say, in the replica that holds the lead: it writes what the engine says of them, gives the
 * instances on nodes that are emptied another generation, and ends what was asked for. One look at a time; woken by rows and by the engine.
 */
import { nodeOperationKinds } from '../../core/nodes/node-operation.ts';
import type { ControlContext } from '../control-context.ts';
import { endNodeOperations } from './node-ends.ts';
import { isHurt, noteHealed } from './node-healing.ts';
import { leavingVolumes, leftoverWords } from './node-leftovers.ts';
import { instancesToMove, moveInstances, type NodesNow } from './node-moves.ts';
import { NodeRoom } from './node-room.ts';
import { NodeStates } from './node-states.ts';
import type { NodeTable } from './node-table.ts';
import { RebalanceEnds } from './rebalance-end.ts';

const BUSY_MS = 500;
/** After which nobody expects much: what still waits is looked at as seldom as everything else. */
const BUSY_FOR_MS = 60_000;
const AGAIN_MS = 2_000;
/** Changes of instances come in swarms. */
const PAUSE_MS = 100;

export class NodeLoop {
  readonly #context: ControlContext;
  readonly #table: NodeTable;
  #states: NodeStates;
  #room: NodeRoom;
  #rebalances: RebalanceEnds;
  /** What was seen last, and since when. */
  #last = { picture: '', sinceMs: 0 };
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
    this.#rebalances = new RebalanceEnds(context.db);
  }

  start(): void {
    this.#stopped = false;
    this.#states = new NodeStates(this.#context);
    this.#room = new NodeRoom(this.#context);
    this.#rebalances = new RebalanceEnds(this.#context.db);
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

  /** One look; gives whether something is under way, so that the next look should come soon. What one step cannot do never stops the next. */
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
    const volumes = await leavingVolumes(this.#context, rows);
    let nodes = rows;
    await this.#step('the states of the nodes could not be written', async () => {
      const words = await leftoverWords(this.#context, { nodes, operations, running, volumes });
      nodes = await this.#states.note(rows, (await engine.describe()).nodes, { placed, running }, words);
    });
    // What was listed before its node was found to be down does not run any more.
    const down = new Set<string>(nodes.filter(({ state }) => state === 'down').map(({ id }) => id));
    const there = running.filter(({ nodeId }) => !down.has(nodeId));
    const now: NodesNow = { nodes, operations, placed, running: there, volumes };
    await this.#step('instances that found no room could not be tried again', () => this.#room.note(nodes));
    await this.#step('instances could not be moved', () => moveInstances(this.#context, instancesToMove(now)));
    let open = operations.length;
    await this.#step('what was asked for of nodes could not be ended', async () => {
      open = await endNodeOperations(this.#context, now, this.#rebalances);
    });
    let hurt = nodes.filter(isHurt).length;
    await this.#step('it could not be said whether nodes are healed', async () => {
      hurt = await noteHealed(this.#context, now);
    });
    const isBusy =
      open > 0 || hurt > 0 || nodes.some((node) => node.state === 'joining' || (node.draining && node.instances > 0));
    return isBusy && this.#isMoving(now);
  }

  /** Whether anything was different within the last minute. */
  #isMoving({ nodes, operations, placed }: NodesNow): boolean {
    const picture = JSON.stringify([
      nodes.map(({ id, state, stateMessage, instances }) => [id, state, stateMessage, instances]),
      operations.map(({ id }) => id),
      placed.map(({ id, state }) => [id, state]),
    ]);
    const nowMs = this.#context.clock.monotonicMs();
    if (picture !== this.#last.picture) this.#last = { picture, sinceMs: nowMs };
    return nowMs - this.#last.sinceMs < BUSY_FOR_MS;
  }

  async #step(failure: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#context.logger.warn({ err: error }, `${failure}; it is tried again`);
    }
  }
}
