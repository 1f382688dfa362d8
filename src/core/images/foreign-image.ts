/** Images that were not built here: what their registry says they are now. */
import type { App } from '../apps/app.ts';
import { BerthError } from '../errors.ts';
import type { Stores } from '../ports/database.ts';
import { type Images, ImageUnavailable } from '../ports/images.ts';
import { credentialsOf } from '../registries/registry-credentials.ts';
import { canonicalImage, imageText } from './canonical-image.ts';

/**
 * The artifact digest of what a reference names in its registry now, asked with what the app's team signs in with there. Throws invalid
 * `image` with code `image-not-found`, `image-unauthorized` or `image-refused`, and unavailable when the registry does not answer; the
 * message says what would help.
 */
export async function locateForeign(
  stores: Pick<Stores, 'registries'>,
  images: Pick<Images, 'locate'>,
  app: Pick<App, 'teamId'>,
  text: string,
): Promise<string> {
  const image = canonicalImage(text);
  try {
    return await images.locate(imageText(image), await credentialsOf(stores, app.teamId, image.host));
  } catch (error) {
    throw error instanceof ImageUnavailable ? inWords(error) : error;
  }
}

function inWords(cause: ImageUnavailable): BerthError {
  const kind = cause.code === 'unreachable' ? 'unavailable' : 'invalid';
  return new BerthError(kind, cause.message, { field: 'image', code: `image-${cause.code}`, cause });
}
