import type { Actor } from '../access/actor.ts';
import { fetchApp } from '../apps/app-access.ts';
import { conflict, notFound } from '../errors.ts';
import { imageReference, withTag } from '../images/image-reference.ts';
import type { CoreContext } from '../ports/core-context.ts';
import { podMates } from '../processes/pod.ts';
import type { StrategyName } from './release.ts';
import { releaseImages } from './release-images.ts';

/** Moves processes that run images of their own along the images' tags. */
export class ImageService {
  readonly #context: CoreContext;
  constructor(context: CoreContext) {
    this.#context = context;
  }

  /**
   * The process runs this tag of its image from now on; a stopped one is started. With `hot-swap` all its instances are new ones with new
   * volumes, and those of its pod too. Throws conflict `no-image`, and what `resolveImage` throws.
   */
  async update(actor: Actor, reference: string, type: string, tag: string, strategy: StrategyName): Promise<void> {
    const { db, clock } = this.#context;
    const app = await fetchApp(db, actor, reference, 'app.deploy.image');
    await db.transaction(async (stores) => {
      const locked = await stores.apps.lock(app.id);
      if (locked === null || locked.deletedAt !== null) throw notFound('app', reference);
      const processes = await stores.processes.list(app.id);
      const process = processes.find((item) => item.type === type);
      if (process === undefined) throw notFound('process', type);
      if (process.image === null)
        throw conflict('no-image', `${type} runs the app's own build, not an image of its own`, 'process');
      const image = withTag(imageReference(process.image), tag).text;
      const now = clock.now();
      await stores.processes.update(process.id, { image, stopped: false, updatedAt: now });
      if (locked.stopped) {
        await stores.apps.update(app.id, { stopped: false, updatedAt: now });
        for (const other of processes)
          if (other.id !== process.id) await stores.processes.update(other.id, { stopped: true, updatedAt: now });
      }
      await releaseImages(this.#context, stores, actor, locked, {
        processes: [{ ...process, image }],
        fresh: strategy === 'hot-swap' ? podMates(processes, process).map((mate) => mate.type) : [],
        strategy,
        description: `Update ${type} to ${tag}`,
      });
    });
  }
}
