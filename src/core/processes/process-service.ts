import type { Actor } from '../access/actor.ts';
import type { AppView } from '../apps/app.ts';
import { fetchApp, startOperation } from '../apps/app-access.ts';
import { BerthError, conflict, invalid, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { type Id, processType } from '../names.ts';
import type { Operation } from '../operations/operation.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Stores } from '../ports/database.ts';
import type { Size } from '../sizes/size.ts';
import type { Process, ProcessView } from './process.ts';

/** The most instances that one process may have. */
export const QUANTITY_MAX = 32;

export interface ProcessChange {
  readonly quantity?: number;
  /** Name or id. */
  readonly size?: string;
  /** Null: back to what the artifact says. */
  readonly command?: string | null;
  readonly port?: number | null;
  readonly healthPath?: string | null;
}
export interface CreateProcess extends ProcessChange {
  readonly type: string;
}

export class ProcessService {
  readonly #context: CoreContext;
  constructor(context: CoreContext) {
    this.#context = context;
  }

  async list(actor: Actor, reference: string): Promise<readonly ProcessView[]> {
    const app = await fetchApp(this.#context.db, actor, reference, 'app.read.info');
    return this.#context.db.processes.list(app.id);
  }

  /** Processes of apps that the actor has listed already; for showing them beside the apps. */
  async listOf(apps: readonly AppView[]): Promise<readonly ProcessView[]> {
    return apps.length === 0 ? [] : this.#context.db.processes.listOf(apps.map((app) => app.id));
  }

  async get(actor: Actor, reference: string, type: string): Promise<ProcessView> {
    const app = await fetchApp(this.#context.db, actor, reference, 'app.read.info');
    const process = await this.#context.db.processes.find(app.id, type);
    if (process === null) throw notFound('process', type);
    return process;
  }

  /** Throws conflict `process-exists`. */
  async create(actor: Actor, reference: string, input: CreateProcess): Promise<ProcessView> {
    const { db } = this.#context;
    const app = await fetchApp(db, actor, reference, 'app.update.unit.add');
    const type = processType(input.type);
    checkChange(input);
    await db.transaction(async (stores) => {
      await stores.apps.lock(app.id);
      if ((await stores.processes.find(app.id, type)) !== null)
        throw conflict('process-exists', `the process ${type} exists already`, 'process');
      const process = await this.#newProcess(stores, app.id, input);
      await this.#checkQuota(stores, app, type, process.quantity);
      await stores.processes.insert(process);
      await record(this.#context, stores, actor, 'ProcessCreated', { app }, { type, quantity: process.quantity });
      await startOperation(this.#context, stores, 'scale', app.id);
    });
    return this.get(actor, reference, type);
  }

  /** Changes several processes of one app in one transaction; the operation ends when what runs is what was asked for. */
  async update(
    actor: Actor,
    reference: string,
    changes: readonly ({ readonly type: string } & ProcessChange)[],
  ): Promise<{ processes: readonly ProcessView[]; operation: Operation }> {
    const { db, clock } = this.#context;
    const app = await fetchApp(db, actor, reference, 'app.update.unit');
    for (const change of changes) checkChange(change);
    const operation = await db.transaction(async (stores) => {
      await stores.apps.lock(app.id);
      for (const change of changes) {
        const process = await stores.processes.find(app.id, change.type);
        if (process === null) throw notFound('process', change.type);
        const size = change.size === undefined ? undefined : await findSize(stores, change.size);
        await this.#checkQuota(stores, app, process.type, change.quantity ?? process.quantity);
        await stores.processes.update(process.id, {
          ...(change.quantity === undefined ? {} : { quantity: change.quantity }),
          ...(size === undefined ? {} : { sizeId: size.id }),
          ...(change.command === undefined ? {} : { command: change.command }),
          ...(change.port === undefined ? {} : { port: change.port }),
          ...(change.healthPath === undefined ? {} : { healthPath: change.healthPath }),
          updatedAt: clock.now(),
        });
        const scaled = change.quantity !== undefined && change.quantity !== process.quantity;
        await record(
          this.#context,
          stores,
          actor,
          scaled ? 'ProcessScaled' : 'ProcessUpdated',
          { app },
          { ...change, previousQuantity: process.quantity },
        );
      }
      return startOperation(this.#context, stores, 'scale', app.id);
    });
    return { processes: await db.processes.list(app.id), operation };
  }

  /** The one verb behind every dialect's scaling. */
  async scale(actor: Actor, reference: string, type: string, quantity: number): Promise<Operation> {
    return (await this.update(actor, reference, [{ type, quantity }])).operation;
  }

  /** Replaces the instances of one process. */
  async restart(actor: Actor, reference: string, type: string): Promise<Operation> {
    const { db } = this.#context;
    const app = await fetchApp(db, actor, reference, 'app.update.restart');
    return db.transaction(async (stores) => {
      await stores.apps.lock(app.id);
      const process = await stores.processes.find(app.id, type);
      if (process === null) throw notFound('process', type);
      await stores.processes.update(process.id, { restartGeneration: process.restartGeneration + 1 });
      await record(this.#context, stores, actor, 'AppRestarted', { app }, { type });
      return startOperation(this.#context, stores, 'restart', app.id);
    });
  }

  async remove(actor: Actor, reference: string, type: string): Promise<ProcessView> {
    const { db } = this.#context;
    const app = await fetchApp(db, actor, reference, 'app.update.unit.remove');
    const process = await db.processes.find(app.id, type);
    if (process === null) throw notFound('process', type);
    await db.transaction(async (stores) => {
      await stores.processes.remove(process.id);
      await record(this.#context, stores, actor, 'ProcessRemoved', { app }, { type });
      await startOperation(this.#context, stores, 'scale', app.id);
    });
    return process;
  }

  async #newProcess(stores: Stores, appId: Id<'app'>, input: CreateProcess): Promise<Process> {
    const size = await findSize(stores, input.size);
    const now = this.#context.clock.now();
    const type = processType(input.type);
    return {
      id: this.#context.ids.id(),
      appId,
      type,
      command: input.command ?? null,
      quantity: input.quantity ?? 1,
      sizeId: size.id,
      port: input.port ?? null,
      routed: type === 'web',
      healthPath: input.healthPath ?? null,
      restartGeneration: 0,
      createdAt: now,
      updatedAt: now,
    };
  }

  async #checkQuota(stores: Stores, app: AppView, type: string, quantity: number): Promise<void> {
    const quota = await stores.quotas.find('app', app.id, 'instances');
    if (quota === null || quota.limit < 0) return;
    const others = (await stores.processes.list(app.id)).filter((process) => process.type !== type);
    const total = others.reduce((sum, process) => sum + process.quantity, quantity);
    if (total > quota.limit)
      throw new BerthError('quota', `the app's quota of ${quota.limit} instances is reached`, { code: 'instances' });
  }
}

async function findSize(stores: Stores, reference: string | undefined): Promise<Size> {
  const size = reference === undefined ? await stores.sizes.findDefault() : await stores.sizes.find(reference);
  if (size === null) throw invalid('size', `the size ${JSON.stringify(reference)} is not known`, 'unknown-size');
  return size;
}

function checkChange(change: ProcessChange): void {
  const { quantity, port, healthPath, command } = change;
  if (quantity !== undefined && (!Number.isInteger(quantity) || quantity < 0 || quantity > QUANTITY_MAX)) {
    throw invalid('quantity', `the number of instances must be between 0 and ${QUANTITY_MAX}`, 'out-of-range');
  }
  if (port != null && (!Number.isInteger(port) || port < 1024 || port > 65535))
    throw invalid('port', 'the port must be between 1024 and 65535', 'out-of-range');
  if (healthPath != null && (!/^\/[^\s#]*$/.test(healthPath) || healthPath.length > 1024))
    throw invalid('healthcheck', 'the health check must be a path that starts with /', 'malformed');
  if (command != null && (command.includes('\0') || command.length > 16_384))
    throw invalid('command', 'the command is not valid', 'malformed');
}
