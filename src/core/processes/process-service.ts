import type { Actor } from '../access/actor.ts';
import type { AppView } from '../apps/app.ts';
import { fetchApp, startOperation } from '../apps/app-access.ts';
import { BerthError, conflict, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { processType } from '../names.ts';
import type { Operation } from '../operations/operation.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Stores } from '../ports/database.ts';
import { limitOf } from '../quotas/quota.ts';
import { baseRelease } from '../releases/base-release.ts';
import { type CreateProcess, checkProcessChange, findSize, insertProcess, type ProcessChange } from './new-process.ts';
import type { ProcessView } from './process.ts';
import { recordScaling } from './scaling-event.ts';

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
    await db.transaction(async (stores) => {
      await stores.apps.lock(app.id);
      if ((await stores.processes.find(app.id, type)) !== null)
        throw conflict('process-exists', `the process ${type} exists already`, 'process');
      const process = await insertProcess(this.#context, stores, app.id, input);
      await this.#checkQuota(stores, app, type, process.quantity);
      await record(this.#context, stores, actor, 'ProcessCreated', { app }, { type, quantity: process.quantity });
      await startOperation(this.#context, stores, 'scale', app.id);
    });
    return this.get(actor, reference, type);
  }

  /**
   * Changes several processes of one app in one transaction; the operation ends when what runs is what was asked for. A type that is not there
   * yet but that the app's release has a command for comes to be by it.
   */
  async update(
    actor: Actor,
    reference: string,
    changes: readonly ({ readonly type: string } & ProcessChange)[],
  ): Promise<{ processes: readonly ProcessView[]; operation: Operation }> {
    const { db, clock } = this.#context;
    const app = await fetchApp(db, actor, reference, 'app.update.unit');
    for (const change of changes) checkProcessChange(change);
    const operation = await db.transaction(async (stores) => {
      await stores.apps.lock(app.id);
      const before = await stores.processes.list(app.id);
      for (const change of changes) {
        const process = await stores.processes.find(app.id, change.type);
        if (process === null) {
          await this.#createReleased(stores, actor, app, change);
          continue;
        }
        const size = change.size === undefined ? undefined : await findSize(stores, change.size);
        await this.#checkQuota(stores, app, process.type, change.quantity ?? process.quantity);
        await stores.processes.update(process.id, {
          ...(change.quantity === undefined ? {} : { quantity: change.quantity }),
          ...(size === undefined ? {} : { sizeId: size.id }),
          ...(change.command === undefined ? {} : { command: change.command }),
          ...(change.ports === undefined ? {} : { ports: change.ports }),
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
      await recordScaling(this.#context, stores, actor, app, before);
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

  async #createReleased(stores: Stores, actor: Actor, app: AppView, input: CreateProcess): Promise<void> {
    const release = await baseRelease(stores, app);
    if (release === null || !Object.hasOwn(release.commands, input.type)) throw notFound('process', input.type);
    const { type, quantity } = await insertProcess(this.#context, stores, app.id, { quantity: 0, ...input });
    await this.#checkQuota(stores, app, type, quantity);
    await record(this.#context, stores, actor, 'ProcessCreated', { app }, { type, quantity });
  }

  async #checkQuota(stores: Stores, app: AppView, type: string, quantity: number): Promise<void> {
    const limit = await limitOf(this.#context, stores, { subject: 'app', subjectId: app.id, kind: 'instances' });
    if (limit < 0) return;
    const others = (await stores.processes.list(app.id)).filter((process) => process.type !== type);
    const total = others.reduce((sum, process) => sum + process.quantity, quantity);
    if (total > limit)
      throw new BerthError('quota', `the app's quota of ${limit} instances is reached`, { code: 'instances' });
  }
}
