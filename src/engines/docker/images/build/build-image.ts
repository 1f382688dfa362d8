/** Builds an image of a Dockerfile. */
import type { ImageBuildFailure, ImageBuildInput, ImageDescription } from '../../../../core/ports/images.ts';
import type { ImagesParts } from '../images-parts.ts';

export async function buildImage(
  { nodes }: ImagesParts,
  { buildId }: ImageBuildInput,
  signal: AbortSignal,
): Promise<ImageDescription | ImageBuildFailure> {
  signal.throwIfAborted();
  const [api] = await nodes();
  return { failed: `no node can build ${buildId}: ${api === undefined ? 'none is ready' : 'none has a builder'}` };
}
