/** Takes an image away by taking its names away. */
import type { DockerApi } from '../../api/docker-api.ts';
import { isStatus } from '../../api/docker-error.ts';
import type { FoundImage } from './found-images.ts';

const removeMs = 300_000;

/** True when it is gone. False when a container was made of it in the meantime: nothing is forced. */
export async function removeImage(api: DockerApi, { references }: FoundImage): Promise<boolean> {
  let isGone = false;
  for (const reference of references) {
    try {
      const done = await api.call<readonly { readonly Deleted?: string }[]>('DELETE', `/images/${reference}`, {
        timeoutMs: removeMs,
      });
      isGone ||= done.some(({ Deleted }) => Deleted !== undefined);
    } catch (error) {
      // 404: whoever took a name away before took this one along.
      if (isStatus(error, 409)) return false;
      if (!isStatus(error, 404)) throw error;
    }
  }
  return isGone;
}
