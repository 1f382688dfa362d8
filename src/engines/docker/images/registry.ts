/** Looks up what the reference of an image means now. The daemon asks the registry: it has what its operator set up for it. */

import { unavailable } from '../../../core/errors.ts';
import { type CanonicalImage, canonicalImage, imageDigest, imageText } from '../../../core/images/canonical-image.ts';
import { type ImageDescription, ImageUnavailable, type RegistryCredentials } from '../../../core/ports/images.ts';
import type { DockerApi } from '../api/docker-api.ts';
import { DockerError } from '../api/docker-error.ts';
import type { ImageDetails } from '../api/shapes.ts';
import type { ImagesParts } from './images-parts.ts';
import { pullImage } from './pull.ts';
import { registryAuth } from './registry-auth.ts';
import { admitRegistry, publicOnly } from './registry-rules.ts';
import { tooSlow, troubleWith } from './registry-trouble.ts';

/** Within what a request of an API may take, also for several images after each other. */
const askMs = 20_000;

/** Source: Docker Engine API, DistributionInspect. */
interface Distribution {
  readonly Descriptor: { readonly digest: string };
}

/** Rejects with ImageUnavailable. */
export async function locateImage(
  parts: ImagesParts,
  reference: string,
  credentials: RegistryCredentials | null,
): Promise<string> {
  return (await locate(parts, canonicalImage(reference), credentials)).artifactDigest;
}

/** Pulls it to the first node: what it listens on and runs stands in the image itself. Rejects with ImageUnavailable. */
export async function resolveImage(
  parts: ImagesParts,
  reference: string,
  credentials: RegistryCredentials | null,
): Promise<ImageDescription> {
  const image = canonicalImage(reference);
  const { api, digest, artifactDigest } = await locate(parts, image, credentials);
  const located = { ...image, tag: null, digest };
  await pullImage(api, located, credentials === null ? [] : [credentials]);
  const details = await api.call<ImageDetails>('GET', `/images/${imageText(located)}/json`);
  return { artifactDigest, ...describeImage(details) };
}

/** What an image says of itself. */
export function describeImage({ Size, Config }: ImageDetails): Omit<ImageDescription, 'artifactDigest'> {
  const ports = Object.keys(Config?.ExposedPorts ?? {}).flatMap((text) => {
    const port = /^(\d{1,5})\/tcp$/.exec(text)?.[1];
    return port === undefined ? [] : [Number(port)];
  });
  const words = [...(Config?.Entrypoint ?? []), ...(Config?.Cmd ?? [])];
  return { sizeBytes: Size, ports: ports.toSorted((a, b) => a - b), hasCommand: words.length > 0 };
}

/**
 * A manifest list is located as the whole list: each node takes what is made for it. Nothing is answered from what a node has already, so
 * that whoever may not have an image does not get one that another team pulled.
 */
async function locate(
  { nodes, registries = publicOnly }: ImagesParts,
  image: CanonicalImage,
  credentials: RegistryCredentials | null,
): Promise<{ readonly api: DockerApi; readonly digest: string; readonly artifactDigest: string }> {
  await admitRegistry(registries, image.host);
  const [api] = await nodes();
  if (api === undefined) throw unavailable('no node is ready that could look for images');
  const late = AbortSignal.timeout(askMs);
  try {
    const { Descriptor } = await api.call<Distribution>('GET', `/distribution/${imageText(image)}/json`, {
      headers: registryAuth(image.host, credentials),
      signal: late,
    });
    if (!/^sha256:[0-9a-f]{64}$/.test(Descriptor.digest))
      throw new ImageUnavailable('refused', `the image ${imageText(image)} has a digest of an unknown kind`);
    return { api, digest: Descriptor.digest, artifactDigest: imageDigest(image, Descriptor.digest) };
  } catch (error) {
    if (late.aborted) throw tooSlow(image);
    if (!(error instanceof DockerError)) throw error;
    throw troubleWith({ status: error.status, message: error.message, image, signedIn: credentials !== null });
  }
}
