/**
 * Images of registries carry no word of who had them pulled, and a daemon may have others' too. So each that this install pulls gets a name
 * of the install's beside its own: it stands where the image is, whatever becomes of the platform's memory. One that was there before is
 * somebody else's and stays.
 */
import { type CanonicalImage, imageText } from '../../../../core/images/canonical-image.ts';
import { ImageUnavailable, type RegistryCredentials } from '../../../../core/ports/images.ts';
import type { Logger } from '../../../../lib/logger.ts';
import type { Names } from '../../names.ts';
import { pullImage } from '../pull.ts';
import { hasImage } from '../stack-image.ts';
import { whileWanted } from '../while-wanted.ts';
import { type WatchedDisk, whileSpaceLasts } from './disk-watch.ts';
import { inGibibytes, roomOf, setting } from './free-space.ts';

/** A node that images are pulled to. */
export interface PullPlace extends WatchedDisk {
  readonly names: Pick<Names, 'installId' | 'helper'>;
  /** Afterwards it can be asked how much room it has. */
  readonly ready: () => Promise<unknown>;
  readonly logger: Logger;
}

export const pulledRepository = (names: Pick<Names, 'installId'>): string =>
  `berth-pulled-${names.installId.toLowerCase()}`;

/**
 * The daemon has the image of a digest afterwards. Rejects as `pullImage` does, with the signal's reason, and with ImageUnavailable
 * `refused` when the node has less free than the floor, or would have: what came by then the daemon deletes.
 */
export async function pullForInstall(
  place: PullPlace,
  image: CanonicalImage,
  credentials: readonly RegistryCredentials[],
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  const { api, names, ready } = place;
  const reference = imageText(image);
  if (await hasImage(api, reference)) return;
  await whileWanted(
    signal,
    ready().then(() => admitImage(place, image)),
  );
  const pull = (bounded: AbortSignal): Promise<void> => pullImage(api, image, credentials, bounded);
  await whileSpaceLasts(place, signal, pull, () => noRoom(place, image));
  const tag = (image.digest ?? '').replace('sha256:', '');
  await api.call('POST', `/images/${reference}/tag`, { query: { repo: pulledRepository(names), tag } });
}

async function admitImage(place: PullPlace, image: CanonicalImage): Promise<void> {
  const { isEnough } = await roomOf(place.api, place.names, place.floorBytes);
  if (!isEnough) throw noRoom(place, image);
}

/** For the image's owner and, as nobody else can make room, for the operator. */
function noRoom({ floorBytes, logger }: PullPlace, image: CanonicalImage): ImageUnavailable {
  logger.warn(
    { image: imageText(image), floorBytes },
    `an image has no room on its node, of which ${setting} keeps ${inGibibytes(floorBytes)} GiB free`,
  );
  return new ImageUnavailable(
    'refused',
    `there is no room on the node for the image ${imageText(image)}: ${setting} keeps ${inGibibytes(floorBytes)} GiB free; use a smaller one, or ask the operator`,
  );
}
