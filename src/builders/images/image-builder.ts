/** A source that is an image: what its registry says it is now becomes the build's artifact, by digest. */

import { BerthError } from '../../core/errors.ts';
import { canonicalImage, imageText } from '../../core/images/canonical-image.ts';
import { splitCredentials } from '../../core/images/image-source.ts';
import { BuildFailure, type BuildOutput } from '../../core/ports/builder.ts';
import { type Images, ImageUnavailable, type RegistryCredentials } from '../../core/ports/images.ts';
import type { Secret } from '../../core/ports/secret.ts';
import type { BuildLog } from '../build-log.ts';
import { outputOf } from './dockerfile-builder.ts';

export interface ImageSourceParts {
  readonly images: Images;
  /** What the app's team signs in with to a registry. */
  readonly credentials: (appId: string, host: string) => Promise<RegistryCredentials | null>;
}

/** `[user:password@]reference`. Throws BuildFailure `source` when there is no such image, and what the signal says when it aborts. */
export async function takeImage(
  appId: string,
  source: Secret,
  { images, credentials }: ImageSourceParts,
  log: BuildLog,
  signal: AbortSignal,
): Promise<BuildOutput> {
  try {
    const { reference, own } = splitCredentials(source.reveal());
    const image = canonicalImage(reference);
    log.step(`Taking the image ${imageText(image)}`);
    await log.flush();
    const found = await images.resolve(imageText(image), own ?? (await credentials(appId, image.host)), signal);
    return await outputOf(found, 'image', {}, log);
  } catch (error) {
    signal.throwIfAborted();
    const isSources = error instanceof ImageUnavailable || (error instanceof BerthError && error.kind === 'invalid');
    throw isSources ? new BuildFailure('source', error.message) : error;
  }
}
