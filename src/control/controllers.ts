/** All loops of a server: they run in the replica that holds the lead, and stop when it loses it. */
import { AddonQueue } from './addons/addon-queue.ts';
import { AddonWatch } from './addons/addon-watch.ts';
import { BuildQueue } from './build-queue.ts';
import type { ControlContext } from './control-context.ts';
import { NodeLoop } from './nodes/node-loop.ts';
import { NodeTable } from './nodes/node-table.ts';
import { Reconciler } from './reconciler/reconciler.ts';
import { Retention } from './retention.ts';
import { RoutingPublisher } from './routing.ts';

const LEAD = 'control';
const LEAD_MS = 10_000;
const HEARTBEAT_MS = 3_000;

export class Controllers {
  readonly #context: ControlContext;
  readonly #routing: RoutingPublisher;
  readonly #reconciler: Reconciler;
  readonly #builds: BuildQueue;
  readonly #addons: AddonQueue;
  readonly #addonWatch: AddonWatch;
  readonly #retention: Retention;
  readonly #nodeTable: NodeTable;
  readonly #nodes: NodeLoop;
  #leading = false;
  #stopped = false;
  #beating: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #unlisten: (() => void) | null = null;

  constructor(context: ControlContext, baseDomain: string) {
    this.#context = context;
    this.#routing = new RoutingPublisher(context, baseDomain);
    this.#builds = new BuildQueue(context);
    this.#addons = new AddonQueue(context);
    this.#addonWatch = new AddonWatch(context);
    this.#retention = new Retention(context);
    this.#nodeTable = new NodeTable(context);
    this.#reconciler = new Reconciler(context, this.#routing, () => this.#nodeTable.ensure());
    this.#nodes = new NodeLoop(context, this.#nodeTable);
  }

  /** Whether this replica's loops run now. */
  get leading(): boolean {
    return this.#leading;
  }

  async start(): Promise<void> {
    this.#stopped = false;
    this.#unlisten = this.#context.db.onWake((topic, id) => {
      if (topic === 'node' || id === '*') void this.#useNodes();
      if (!this.#leading) return;
      if (topic === 'app' || id === '*') this.#reconciler.wake(id);
      if (topic === 'operation' || id === '*') {
        this.#builds.wake(id === '*' ? undefined : id);
        this.#addons.wake();
      }
      if (topic === 'routing' || id === '*') void this.#republish();
    });
    await this.#nodeTable.ensure();
    await this.#beat();
  }

  /** Renews the lead, or tries to get it; again and again. */
  async #beat(): Promise<void> {
    this.#beating = this.#renew();
    await this.#beating;
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#beat(), HEARTBEAT_MS);
  }

  /** Every replica's own engine; whoever leads goes on from there. */
  async #useNodes(): Promise<void> {
    await this.#nodeTable.ensure();
    if (this.#leading) this.#nodes.wake();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#unlisten?.();
    this.#nodeTable.stop();
    // Loops that are just being started are started first.
    await this.#beating;
    await this.#stepDown();
    await this.#context.db.leases.release(LEAD, this.#context.holder).catch(() => {});
  }

  async #republish(): Promise<void> {
    try {
      await this.#routing.publish();
    } catch (error) {
      this.#context.logger.warn(
        { err: error },
        'the routing table could not be given to the router yet; it is tried again',
      );
    }
  }

  async #renew(): Promise<void> {
    const { db, holder, logger } = this.#context;
    let held = false;
    try {
      // Whose engine does not know its nodes would take what runs there for lost.
      held = this.#nodeTable.isTold && (await db.leases.acquire(LEAD, holder, LEAD_MS));
    } catch (error) {
      logger.warn({ err: error }, 'the lead could not be renewed');
    }
    if (held && !this.#leading) {
      this.#leading = true;
      this.#routing.forget();
      await this.#reconciler.start();
      this.#builds.start();
      this.#addons.start();
      this.#addonWatch.start();
      this.#retention.start();
      this.#nodes.start();
    } else if (!held && this.#leading) {
      logger.warn({}, 'the lead was lost; another server may lead now');
      await this.#stepDown();
    }
  }

  async #stepDown(): Promise<void> {
    if (!this.#leading) return;
    this.#leading = false;
    this.#retention.stop();
    await Promise.all([
      this.#reconciler.stop(),
      this.#builds.stop(),
      this.#addons.stop(),
      this.#addonWatch.stop(),
      this.#nodes.stop(),
    ]);
  }
}
