/** Puts images that this platform made into its own registry (BERTH_DOCKER_REGISTRY), from where every node can have them. */
import { unavailable } from '../../../core/errors.ts';
import { type CanonicalImage, canonicalImage, imageText } from '../../../core/images/canonical-image.ts';
import { ImageUnavailable, type RegistryCredentials } from '../../../core/ports/images.ts';
import type { DockerApi } from '../api/docker-api.ts';
import { DockerError, isStatus } from '../api/docker-error.ts';
import type { ImageDetails } from '../api/shapes.ts';
import { pullImage, pullMs, transfer } from './pull.ts';
import { registryAuth } from './registry-auth.ts';
import { type OwnRegistry, ownRepository } from './registry-rules.ts';
import { tooSlow, troubleWith } from './registry-trouble.ts';

/** The daemon wants to be told even that nobody signs in. */
const nobody = { 'X-Registry-Auth': 'e30=' };

/**
 * Pushes an image that the daemon has as `localReference` to `repository` (`host[:port]/path`) and gives its digest there. The tag that
 * it needs on the way is the one of `localReference`, or of its id. Rejects with ImageUnavailable.
 */
export async function push(
  api: DockerApi,
  localReference: string,
  repository: string,
  credentials: RegistryCredentials | null,
): Promise<string> {
  const tag = tagOf(localReference);
  const image = canonicalImage(`${repository}:${tag}`);
  const repo = `${image.host}/${image.repository}`;
  await api.call('POST', `/images/${localReference}/tag`, { query: { repo, tag } });
  try {
    return await pushTag(api, image, credentials);
  } finally {
    await untag(api, imageText(image));
  }
}

/**
 * The image that node `from` has as `localReference` is on node `to` under the same name afterwards, by way of the platform's registry.
 * Rejects with `unavailable` when the registry does not do its part.
 */
export async function shareThroughRegistry(
  own: OwnRegistry,
  from: DockerApi,
  to: DockerApi,
  localReference: string,
): Promise<void> {
  const { host, credentials } = own;
  const repository = ownRepository(own, nameOf(localReference));
  try {
    const digest = await push(from, localReference, repository, credentials);
    const image = { ...canonicalImage(repository), tag: null, digest };
    await pullImage(to, image, credentials === null ? [] : [credentials]);
    if (localReference.startsWith('sha256:')) return;
    const query = { repo: nameOf(localReference), tag: tagOf(localReference) };
    await to.call('POST', `/images/${imageText(image)}/tag`, { query });
  } catch (error) {
    if (!(error instanceof ImageUnavailable)) throw error;
    throw unavailable(
      `the platform's registry ${host} (BERTH_DOCKER_REGISTRY) does not serve its images: ${error.message}`,
    );
  }
}

async function pushTag(
  api: DockerApi,
  image: CanonicalImage,
  credentials: RegistryCredentials | null,
): Promise<string> {
  const late = AbortSignal.timeout(pullMs);
  const trouble = (status: number, message: string): ImageUnavailable =>
    troubleWith({ status, message, image, signedIn: credentials !== null });
  try {
    const { error, digest } = await transfer(api, `/images/${image.host}/${image.repository}/push`, {
      query: { tag: image.tag ?? '' },
      headers: { ...nobody, ...registryAuth(image.host, credentials) },
      signal: late,
    });
    if (error !== null) throw trouble(0, error);
    if (digest === null) throw trouble(0, 'no digest');
    return digest;
  } catch (error) {
    if (late.aborted) throw tooSlow(image);
    throw error instanceof DockerError ? trouble(error.status, error.message) : error;
  }
}

/** The image itself stays: a name that is its last one is left where it is. */
async function untag(api: DockerApi, reference: string): Promise<void> {
  try {
    const { RepoTags } = await api.call<ImageDetails>('GET', `/images/${reference}/json`);
    if ((RepoTags ?? []).length > 1) await api.call('DELETE', `/images/${reference}`, { query: { noprune: true } });
  } catch (error) {
    if (!isStatus(error, 404, 409)) throw error;
  }
}

/** `berth-app:abc` → `abc`; of an id its digits. */
const tagOf = (reference: string): string => reference.slice(reference.indexOf(':') + 1).slice(0, 128);
/** What it is called without its tag; ids have no name of their own. */
const nameOf = (reference: string): string =>
  reference.startsWith('sha256:') ? 'berth-image' : reference.slice(0, reference.indexOf(':'));
