/** Looks up what the reference of an image means now. */
import { type ImageDescription, ImageUnavailable, type RegistryCredentials } from '../../../core/ports/images.ts';
import type { ImagesParts } from './images-parts.ts';

/** Rejects with ImageUnavailable. */
export async function locateImage(
  _parts: ImagesParts,
  reference: string,
  _credentials: RegistryCredentials | null,
): Promise<string> {
  throw new ImageUnavailable('unreachable', `no registry is asked for ${reference}`);
}

/** Rejects with ImageUnavailable. */
export async function resolveImage(
  _parts: ImagesParts,
  reference: string,
  _credentials: RegistryCredentials | null,
): Promise<ImageDescription> {
  throw new ImageUnavailable('unreachable', `no registry is asked for ${reference}`);
}
