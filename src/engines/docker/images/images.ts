/** The port `Images` over the daemons of the nodes: a file for each verb. */
import type { Images } from '../../../core/ports/images.ts';
import { buildImage } from './build/build-image.ts';
import { hasImageOf } from './has-image.ts';
import type { ImagesParts } from './images-parts.ts';
import { pruneImages } from './prune.ts';
import { locateImage, resolveImage } from './registry.ts';

export function createDockerImages(parts: ImagesParts): Images {
  return {
    locate: (reference, credentials) => locateImage(parts, reference, credentials),
    resolve: (reference, credentials, signal) => resolveImage(parts, reference, credentials, signal),
    build: (input, signal) => buildImage(parts, input, signal),
    has: (artifactDigest) => hasImageOf(parts, artifactDigest),
    prune: (keep) => pruneImages(parts, keep),
  };
}
