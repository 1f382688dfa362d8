/**
 * Images of registries carry no word of who had them pulled, and a daemon may have others' too. So each that this install pulls gets a name
 * of the install's beside its own: it stands where the image is, whatever becomes of the platform's memory. One that was there before is
 * somebody else's and stays.
 */
import { type CanonicalImage, imageText } from '../../../../core/images/canonical-image.ts';
import type { RegistryCredentials } from '../../../../core/ports/images.ts';
import type { DockerApi } from '../../api/docker-api.ts';
import type { Names } from '../../names.ts';
import { pullImage } from '../pull.ts';
import { hasImage } from '../stack-image.ts';

export const pulledRepository = (names: Pick<Names, 'installId'>): string =>
  `berth-pulled-${names.installId.toLowerCase()}`;

/** The daemon has the image of a digest afterwards. Rejects as `pullImage` does. */
export async function pullForInstall(
  api: DockerApi,
  names: Pick<Names, 'installId'>,
  image: CanonicalImage,
  credentials: readonly RegistryCredentials[],
  signal: AbortSignal | null = null,
): Promise<void> {
  const reference = imageText(image);
  if (await hasImage(api, reference)) return;
  await pullImage(api, image, credentials, signal);
  const tag = (image.digest ?? '').replace('sha256:', '');
  await api.call('POST', `/images/${reference}/tag`, { query: { repo: pulledRepository(names), tag } });
}
