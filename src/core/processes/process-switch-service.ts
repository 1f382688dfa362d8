import type { Actor } from '../access/actor.ts';
import { fetchApp, startOperation } from '../apps/app-access.ts';
import { notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { withImages } from '../images/image-lookups.ts';
import type { ImageSources } from '../images/resolve-image.ts';
import type { Operation } from '../operations/operation.ts';
import type { Builder } from '../ports/builder.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Stores } from '../ports/database.ts';
import { releaseImages } from '../releases/release-images.ts';
import type { ProcessView } from './process.ts';

/** Starts and stops processes of an app, all or some; quantities stay as they are. */
export class ProcessSwitchService {
  readonly #context: CoreContext;
  readonly #builder: Pick<Builder, 'hasArtifact'>;
  constructor(context: CoreContext, builder: Pick<Builder, 'hasArtifact'>) {
    this.#context = context;
    this.#builder = builder;
  }

  /**
   * `types` null: the whole app. Images of what was stopped are looked up again, so that a moving tag moves. Throws what
   * `resolveImage` throws, naming the process in `details.noun`.
   */
  async start(actor: Actor, reference: string, types: readonly string[] | null): Promise<Operation> {
    const { db, clock } = this.#context;
    const app = await fetchApp(db, actor, reference, 'app.update.start');
    const images = (await db.processes.list(app.id)).flatMap((process) =>
      process.image !== null && (app.stopped || process.stopped) && (types?.includes(process.type) ?? true)
        ? [{ image: process.image }]
        : [],
    );
    return withImages(this.#sources(), app, images, (found) =>
      db.transaction(async (stores) => {
        const locked = await stores.apps.lock(app.id);
        if (locked === null || locked.deletedAt !== null) throw notFound('app', reference);
        const processes = await stores.processes.list(app.id);
        const named = chosen(processes, types);
        const resting = named.filter((process) => locked.stopped || process.stopped);
        if (locked.stopped) {
          await stores.apps.update(app.id, { stopped: false, updatedAt: clock.now() });
          await this.#setStopped(
            stores,
            processes.filter((process) => !named.includes(process)),
            true,
          );
        }
        await this.#setStopped(stores, named, false);
        const change = { processes: resting, found, strategy: 'one-by-one', fresh: [] } as const;
        await releaseImages(this.#context, stores, actor, locked, change);
        await record(this.#context, stores, actor, 'AppStarted', { app }, types === null ? {} : { types });
        await stores.wake('routing', app.id);
        return startOperation(this.#context, stores, 'start', app.id);
      }),
    );
  }

  /** `types` null: the whole app. */
  async stop(actor: Actor, reference: string, types: readonly string[] | null): Promise<Operation> {
    const { db, clock } = this.#context;
    const app = await fetchApp(db, actor, reference, 'app.update.stop');
    return db.transaction(async (stores) => {
      const locked = await stores.apps.lock(app.id);
      if (locked === null || locked.deletedAt !== null) throw notFound('app', reference);
      if (types === null) await stores.apps.update(app.id, { stopped: true, updatedAt: clock.now() });
      else await this.#setStopped(stores, chosen(await stores.processes.list(app.id), types), true);
      await record(this.#context, stores, actor, 'AppStopped', { app }, types === null ? {} : { types });
      await stores.wake('routing', app.id);
      return startOperation(this.#context, stores, 'stop', app.id);
    });
  }

  #sources(): ImageSources {
    const { db, images } = this.#context;
    return { stores: db, hasArtifact: (digest) => this.#builder.hasArtifact(digest), images: images ?? null };
  }

  async #setStopped(stores: Stores, processes: readonly ProcessView[], stopped: boolean): Promise<void> {
    for (const process of processes) {
      if (process.stopped !== stopped)
        await stores.processes.update(process.id, { stopped, updatedAt: this.#context.clock.now() });
    }
  }
}

function chosen(processes: readonly ProcessView[], types: readonly string[] | null): readonly ProcessView[] {
  const missing = types?.find((type) => !processes.some((process) => process.type === type));
  if (missing !== undefined) throw notFound('process', missing);
  return types === null ? processes : processes.filter((process) => types.includes(process.type));
}
