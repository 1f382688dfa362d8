import { type Actor, visibility } from '../access/actor.ts';
import { demandOn } from '../access/authorize.ts';
import { removeAppAddons } from '../addons/remove-app-addons.ts';
import { notFound } from '../errors.ts';
import type { EventKind } from '../events/event.ts';
import { record } from '../events/record.ts';
import { appName, handle, type Id } from '../names.ts';
import type { Operation } from '../operations/operation.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Stores } from '../ports/database.ts';
import type { Page, PageRequest } from '../ports/page.ts';
import type { ProcessView } from '../processes/process.ts';
import type { App, AppView } from './app.ts';
import { fetchApp, placeOf, startOperation } from './app-access.ts';
import type { AppActivity } from './app-activity.ts';
import type { AppFilter } from './app-store.ts';
import { type CreateApp, checkDescription, createApp } from './create-app.ts';

/** Thrown at the end of a transaction, so that nothing of it stays. */
class Rehearsal extends Error {
  app: AppView | null = null;
}

export class AppService {
  readonly #context: CoreContext;
  readonly #baseDomain: string;
  constructor(context: CoreContext, baseDomain: string) {
    this.#context = context;
    this.#baseDomain = baseDomain;
  }

  /** Needs `app.create` in the team. Throws conflict `app-exists`, `domain-exists`, quota `apps`. */
  async create(actor: Actor, input: CreateApp): Promise<AppView> {
    const id = await createApp(this.#context, this.#baseDomain, actor, input);
    return fetchApp(this.#context.db, actor, id, 'app.read');
  }

  /** What `create` would make or throw; nothing is made. */
  async rehearse(actor: Actor, input: CreateApp): Promise<AppView> {
    const rehearsal = new Rehearsal();
    try {
      await createApp(this.#context, this.#baseDomain, actor, input, async (stores, id) => {
        rehearsal.app = await stores.apps.find(id);
        throw rehearsal;
      });
    } catch (error) {
      if (error !== rehearsal || rehearsal.app === null) throw error;
    }
    return rehearsal.app as AppView;
  }

  async get(actor: Actor, reference: string): Promise<AppView> {
    return fetchApp(this.#context.db, actor, reference, 'app.read.info');
  }

  /** By its name within a space. */
  async getIn(actor: Actor, spaceId: Id<'space'>, name: string): Promise<AppView> {
    const found = await this.#context.db.apps.findByName(spaceId, name);
    if (found === null) throw notFound('app', name);
    return fetchApp(this.#context.db, actor, found.id, 'app.read.info');
  }

  /** The app and its processes by type; what most reads of one app show. */
  async getWithProcesses(
    actor: Actor,
    reference: string,
  ): Promise<{ readonly app: AppView; readonly processes: readonly ProcessView[] }> {
    const found = await this.#context.db.apps.findWithProcesses(reference);
    if (found === null) throw notFound('app', reference);
    demandOn(actor, 'app', reference, 'app.read', 'app.read.info', placeOf(found.app));
    return found;
  }

  /** What the actor may see, by name. */
  async list(actor: Actor, filter: AppFilter, page: PageRequest): Promise<Page<AppView>> {
    return this.#context.db.apps.list(visibility(actor, 'app.read'), filter, page);
  }

  /** What happens now with apps that the actor has listed already, by app id. */
  async activityOf(apps: readonly Pick<App, 'id'>[]): Promise<ReadonlyMap<string, AppActivity>> {
    const found = apps.length === 0 ? [] : await this.#context.db.apps.activity(apps.map(({ id }) => id));
    return new Map(found.map((activity) => [activity.appId, activity]));
  }

  async update(
    actor: Actor,
    reference: string,
    change: { description?: string; labels?: readonly string[] },
  ): Promise<AppView> {
    checkDescription(change.description);
    await this.#change(actor, reference, 'app.update.description', 'AppUpdated', change, {
      changed: Object.keys(change),
    });
    return this.get(actor, reference);
  }

  async setFeature(actor: Actor, reference: string, feature: string, enabled: boolean): Promise<AppView> {
    const app = await fetchApp(this.#context.db, actor, reference, 'app.update');
    await this.#change(
      actor,
      reference,
      'app.update',
      'FeatureChanged',
      { features: { ...app.features, [feature]: enabled } },
      { feature, enabled },
    );
    return this.get(actor, reference);
  }

  /** On: instances stop and visitors see the maintenance page. Off: they come back as they were scaled. */
  async setMaintenance(actor: Actor, reference: string, maintenance: boolean): Promise<AppView> {
    await this.#change(
      actor,
      reference,
      'app.update',
      'MaintenanceChanged',
      { maintenance },
      { maintenance },
      maintenance ? 'stop' : 'start',
    );
    return this.get(actor, reference);
  }

  /** Replaces every instance by the app's strategy, without a dropped request. */
  async restart(actor: Actor, reference: string): Promise<Operation> {
    const app = await fetchApp(this.#context.db, actor, reference, 'app.update.restart');
    const change = { restartGeneration: app.restartGeneration + 1 };
    const permission = 'app.update.restart';
    const operation = await this.#change(actor, reference, permission, 'AppRestarted', change, {}, 'restart');
    if (operation === null) throw new Error('an operation was asked for and none was made');
    return operation;
  }

  /** From now on nobody finds it; its instances stop, its add-ons and rows go. Throws conflict `addon-attached` while another app uses one. */
  async remove(actor: Actor, reference: string): Promise<{ app: AppView; operation: Operation }> {
    const { db, clock } = this.#context;
    const app = await fetchApp(db, actor, reference, 'app.delete');
    const operation = await db.transaction(async (stores) => {
      const locked = await stores.apps.lock(app.id);
      if (locked === null || locked.deletedAt !== null) throw notFound('app', reference);
      // Its names are free again at once.
      const gone = `gone-${app.id}`;
      await stores.apps.update(app.id, { deletedAt: clock.now(), handle: handle(gone), name: appName(gone) });
      for (const domain of await stores.domains.list(app.id)) await stores.domains.remove(domain.id);
      await record(this.#context, stores, actor, 'AppDeleted', { app });
      await removeAppAddons(this.#context, stores, actor, app);
      await this.#cancelBuilds(stores, app.id);
      await stores.wake('routing', app.id);
      return startOperation(this.#context, stores, 'delete', app.id);
    });
    return { app, operation };
  }

  async #cancelBuilds(stores: Stores, appId: Id<'app'>): Promise<void> {
    for (const build of await stores.operations.open(appId, ['build'])) {
      await stores.operations.requestCancel(build.id);
      await stores.wake('operation', build.id);
    }
  }

  async #change(
    actor: Actor,
    reference: string,
    permission: string,
    kind: EventKind,
    change: Partial<App>,
    data: Record<string, unknown>,
    operation?: 'stop' | 'start' | 'restart',
  ): Promise<Operation | null> {
    const { db, clock } = this.#context;
    const app = await fetchApp(db, actor, reference, permission);
    return db.transaction(async (stores) => {
      const locked = await stores.apps.lock(app.id);
      if (locked === null || locked.deletedAt !== null) throw notFound('app', reference);
      await stores.apps.update(app.id, { ...change, updatedAt: clock.now() });
      await record(this.#context, stores, actor, kind, { app }, data);
      await stores.wake('routing', app.id);
      return operation === undefined ? null : startOperation(this.#context, stores, operation, app.id);
    });
  }
}
