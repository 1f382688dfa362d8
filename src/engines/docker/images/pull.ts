/** Has a daemon fetch an image of a registry. */
import { type CanonicalImage, imageText } from '../../../core/images/canonical-image.ts';
import type { RegistryCredentials } from '../../../core/ports/images.ts';
import type { DockerApi } from '../api/docker-api.ts';
import { DockerError } from '../api/docker-error.ts';
import { registryAuth } from './registry-auth.ts';
import { tooSlow, troubleWith } from './registry-trouble.ts';
import { hasImage } from './stack-image.ts';
import { type TransferEnd, transferEnd } from './transfer-progress.ts';

/** For the whole of it: an image of some gigabytes over a slow line. */
export const pullMs = 15 * 60_000;

/**
 * Resolves when the daemon has the image. `credentials` are tried one after another; none: as nobody. Rejects with ImageUnavailable, and
 * with `unavailable` when the daemon does not answer.
 */
export async function pullImage(
  api: DockerApi,
  image: CanonicalImage,
  credentials: readonly RegistryCredentials[],
  signal: AbortSignal | null = null,
): Promise<void> {
  if (await hasImage(api, imageText(image))) return;
  const [first = null, ...others] = credentials;
  let trouble = await pullOnce(api, image, first, signal);
  for (const next of others) {
    if (trouble?.code !== 'unauthorized' && trouble?.code !== 'not-found') break;
    trouble = await pullOnce(api, image, next, signal);
  }
  if (trouble !== null) throw trouble;
}

/** Null: it is there. */
async function pullOnce(
  api: DockerApi,
  image: CanonicalImage,
  credentials: RegistryCredentials | null,
  signal: AbortSignal | null,
): Promise<ReturnType<typeof troubleWith> | null> {
  const late = AbortSignal.timeout(pullMs);
  const signedIn = credentials !== null;
  try {
    const { error } = await transfer(api, '/images/create', {
      query: { fromImage: imageText(image) },
      headers: registryAuth(image.host, credentials),
      signal: signal === null ? late : AbortSignal.any([late, signal]),
    });
    return error === null ? null : troubleWith({ status: 0, message: error, image, signedIn });
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason;
    if (late.aborted) return tooSlow(image);
    if (!(error instanceof DockerError)) throw error;
    return troubleWith({ status: error.status, message: error.message, image, signedIn });
  }
}

/** A call whose answer is a list of steps. The daemon gives up when the signal ends the connection. */
export async function transfer(
  api: DockerApi,
  path: string,
  {
    signal,
    ...options
  }: Pick<Parameters<DockerApi['stream']>[2] & object, 'query' | 'headers'> & { signal: AbortSignal },
): Promise<TransferEnd> {
  const answer = await api.stream('POST', path, { ...options, signal, timeoutMs: pullMs });
  return transferEnd(answer);
}
