/**
 * What names of images mean, found out before the transaction that uses it: a registry that is slow to answer never holds a lock or a
 * connection of the database.
 */
import type { App } from '../apps/app.ts';
import { conflict } from '../errors.ts';
import { type ImageSources, ownBuild, type ResolvedImage, resolveImage } from './resolve-image.ts';

/** A reference of an image, or the tag of a build or release of the app itself. */
export type Wanted = { readonly image: string } | { readonly build: string };

export interface FoundImages {
  /** Throws what `resolveImage` threw for this reference. */
  image(reference: string): ResolvedImage;
  /** Throws what `ownBuild` threw for this tag. */
  build(tag: string): ResolvedImage;
}

/** More would mean that the app changes each time somebody looks. */
const ROUNDS = 5;

/**
 * Runs `work`, once all of `wanted` was looked up. When it asks for more (the app was changed meanwhile) that is looked up, and `work` is
 * done again from its start: it must be one transaction and nothing else.
 */
export async function withImages<T>(
  sources: ImageSources,
  app: App,
  wanted: readonly Wanted[],
  work: (found: FoundImages) => Promise<T>,
): Promise<T> {
  const known = new Map<string, ResolvedImage | Error>();
  const lookUp = async (one: Wanted): Promise<void> => {
    const looked = 'image' in one ? resolveImage(sources, app, one.image) : ownBuild(sources, app, one.build);
    known.set(keyOf(one), await looked.catch((error: Error) => error));
  };
  let missing = wanted;
  for (let round = 0; round < ROUNDS; round += 1) {
    await Promise.all([...new Map(missing.map((one) => [keyOf(one), one])).values()].map(lookUp));
    try {
      return await work(foundIn(known));
    } catch (error) {
      if (!(error instanceof NotLookedUp)) throw error;
      missing = [error.wanted];
    }
  }
  throw conflict('app-busy', 'the app is being changed by others at the same time; try again', 'app');
}

class NotLookedUp extends Error {
  readonly wanted: Wanted;
  constructor(wanted: Wanted) {
    super('an image was not looked up yet');
    this.wanted = wanted;
  }
}

const keyOf = (wanted: Wanted): string => ('image' in wanted ? `image ${wanted.image}` : `build ${wanted.build}`);

function foundIn(known: ReadonlyMap<string, ResolvedImage | Error>): FoundImages {
  const get = (wanted: Wanted): ResolvedImage => {
    const found = known.get(keyOf(wanted));
    if (found === undefined) throw new NotLookedUp(wanted);
    if (found instanceof Error) throw found;
    return found;
  };
  return { image: (image) => get({ image }), build: (build) => get({ build }) };
}
