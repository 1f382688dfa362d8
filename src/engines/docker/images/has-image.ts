/** Whether an image can still be run. */
import { artifactForm } from './artifact-form.ts';
import type { ImagesParts } from './images-parts.ts';
import { hasImage } from './stack-image.ts';

/** One of a registry is pulled when it is needed, so it counts as there; one that was built here must be on a node. */
export async function hasImageOf({ nodes }: ImagesParts, artifactDigest: string): Promise<boolean> {
  const form = artifactForm(artifactDigest);
  if (form?.kind !== 'built') return form?.kind === 'registry';
  const found = await Promise.all((await nodes()).map((api) => hasImage(api, form.imageId)));
  return found.includes(true);
}
