import type { Actor } from '../access/actor.ts';
import { fetchApp, startOperation } from '../apps/app-access.ts';
import { conflict, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import type { Operation } from '../operations/operation.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Engine, EngineInstance, ExecSession, ExecSpec, InstanceStats } from '../ports/engine.ts';
import type { Instance } from './instance.ts';

export interface InstanceView extends Instance {
  /** What the engine says of it now; null when it does not know it. */
  readonly actual: EngineInstance | null;
}

export class InstanceService {
  readonly #context: CoreContext;
  readonly #engine: Engine;
  constructor(context: CoreContext, engine: Engine) {
    this.#context = context;
    this.#engine = engine;
  }

  async list(actor: Actor, reference: string): Promise<readonly InstanceView[]> {
    const { db } = this.#context;
    const app = await fetchApp(db, actor, reference, 'app.read.info');
    const [rows, running] = await Promise.all([db.instances.list(app.id), this.#engine.list()]);
    const byId = new Map(running.map((instance) => [instance.id, instance]));
    return rows.map((row) => ({ ...row, actual: byId.get(row.id) ?? null }));
  }

  async get(actor: Actor, reference: string, instanceId: string): Promise<InstanceView> {
    const instance = (await this.list(actor, reference)).find((item) => item.id === instanceId);
    if (instance === undefined) throw notFound('instance', instanceId);
    return instance;
  }

  /** Replaces one instance: a new one is made ready first. */
  async restart(actor: Actor, reference: string, instanceId: string): Promise<Operation> {
    const { db, clock } = this.#context;
    const app = await fetchApp(db, actor, reference, 'app.update.restart');
    const instance = await this.get(actor, reference, instanceId);
    return db.transaction(async (stores) => {
      await stores.instances.update(instance.id, {
        generation: `restart-${instance.generation}`,
        updatedAt: clock.now(),
      });
      await record(
        this.#context,
        stores,
        actor,
        'AppRestarted',
        { app },
        { instance: instance.id, type: instance.processType, ordinal: instance.ordinal },
      );
      return startOperation(this.#context, stores, 'restart', app.id);
    });
  }

  /** What the kernel says of each running instance. */
  async stats(actor: Actor, reference: string): Promise<readonly InstanceStats[]> {
    const { db } = this.#context;
    const app = await fetchApp(db, actor, reference, 'app.read.metric');
    const rows = await db.instances.list(app.id);
    return this.#engine.stats(rows.map((row) => row.id));
  }

  async exec(actor: Actor, reference: string, instanceId: string, spec: ExecSpec): Promise<ExecSession> {
    const app = await fetchApp(this.#context.db, actor, reference, 'app.run');
    const instance = await this.get(actor, reference, instanceId);
    if (instance.actual?.state !== 'running')
      throw conflict('instance-not-running', 'the instance does not run', 'instance');
    await record(this.#context, this.#context.db, actor, 'CommandExecuted', { app }, { instance: instanceId });
    return this.#engine.exec(instanceId, spec);
  }

  async signal(actor: Actor, reference: string, instanceId: string, signal: string): Promise<void> {
    await fetchApp(this.#context.db, actor, reference, 'app.run');
    const instance = await this.get(actor, reference, instanceId);
    await this.#engine.signal(instance.id, signal);
  }
}
