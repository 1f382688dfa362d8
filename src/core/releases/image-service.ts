import type { Actor } from '../access/actor.ts';
import type { App } from '../apps/app.ts';
import { fetchApp } from '../apps/app-access.ts';
import { notFound } from '../errors.ts';
import { type FoundImages, withImages } from '../images/image-lookups.ts';
import { imageReference, withTag } from '../images/image-reference.ts';
import type { ImageSources } from '../images/resolve-image.ts';
import type { Builder } from '../ports/builder.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Stores } from '../ports/database.ts';
import { podMates } from '../processes/pod.ts';
import { baseRelease } from './base-release.ts';
import { createRelease } from './create-release.ts';
import type { StrategyName } from './release.ts';
import { releaseImages } from './release-images.ts';

/** Moves processes that run images of their own along the images' tags. */
export class ImageService {
  readonly #context: CoreContext;
  readonly #builder: Pick<Builder, 'hasArtifact'>;
  constructor(context: CoreContext, builder: Pick<Builder, 'hasArtifact'>) {
    this.#context = context;
    this.#builder = builder;
  }

  /**
   * The process runs this tag of its image from now on; a stopped one is started. With `hot-swap` all its instances are new ones with new
   * volumes, and those of its pod too. A process that runs the app's own build moves the app to that build or release. Throws what
   * `resolveImage` throws.
   */
  async update(actor: Actor, reference: string, type: string, tag: string, strategy: StrategyName): Promise<void> {
    const { db, clock } = this.#context;
    const app = await fetchApp(db, actor, reference, 'app.deploy.image');
    const before = await db.processes.find(app.id, type);
    if (before === null) throw notFound('process', type);
    const wanted = [before.image === null ? { build: tag } : { image: tagged(before.image, tag) }];
    await withImages(this.#sources(), app, wanted, (found) =>
      db.transaction(async (stores) => {
        const locked = await stores.apps.lock(app.id);
        if (locked === null || locked.deletedAt !== null) throw notFound('app', reference);
        const processes = await stores.processes.list(app.id);
        const process = processes.find((item) => item.type === type);
        if (process === undefined) throw notFound('process', type);
        if (process.image === null) return this.#moveApp(stores, found, actor, locked, tag, strategy);
        const image = tagged(process.image, tag);
        const now = clock.now();
        await stores.processes.update(process.id, { image, stopped: false, updatedAt: now });
        if (locked.stopped) {
          await stores.apps.update(app.id, { stopped: false, updatedAt: now });
          for (const other of processes)
            if (other.id !== process.id) await stores.processes.update(other.id, { stopped: true, updatedAt: now });
        }
        await releaseImages(this.#context, stores, actor, locked, {
          processes: [{ ...process, image }],
          found,
          fresh: strategy === 'hot-swap' ? podMates(processes, process).map((mate) => mate.type) : [],
          strategy,
          description: `Update ${type} to ${tag}`,
        });
      }),
    );
  }

  #sources(): ImageSources {
    const { db, images } = this.#context;
    return { stores: db, hasArtifact: (digest) => this.#builder.hasArtifact(digest), images: images ?? null };
  }

  async #moveApp(
    stores: Stores,
    found: FoundImages,
    actor: Actor,
    app: App,
    tag: string,
    strategy: StrategyName,
  ): Promise<void> {
    const { artifactDigest, commands } = found.build(tag);
    const base = await baseRelease(stores, app);
    if (app.stopped) await stores.apps.update(app.id, { stopped: false, updatedAt: this.#context.clock.now() });
    await createRelease(this.#context, stores, actor, app, {
      kind: 'deploy',
      artifactDigest,
      buildId: null,
      commands,
      processes: base?.processes ?? {},
      strategy,
      description: `Update to ${tag}`,
      rollbackOf: null,
      environment: await stores.config.resolve(app.id),
    });
  }
}

const tagged = (image: string, tag: string): string => withTag(imageReference(image), tag).text;
