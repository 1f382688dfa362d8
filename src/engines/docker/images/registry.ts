/** Looks up what the reference of an image means now. The daemon asks the registry: it has what its operator set up for it. */

import { BerthError, unavailable } from '../../../core/errors.ts';
import { type CanonicalImage, canonicalImage, imageDigest, imageText } from '../../../core/images/canonical-image.ts';
import { type ImageDescription, ImageUnavailable, type RegistryCredentials } from '../../../core/ports/images.ts';
import type { DockerApi } from '../api/docker-api.ts';
import { DockerError } from '../api/docker-error.ts';
import { describeBuilt } from './describe-built.ts';
import type { BuildNode, ImagesParts } from './images-parts.ts';
import { registryAuth } from './registry-auth.ts';
import { admitRegistry, publicOnly } from './registry-rules.ts';
import { notMadeFor, tooSlow, troubleWith } from './registry-trouble.ts';
import { defaultFloorBytes } from './retention/free-space.ts';
import { pullForInstall } from './retention/pulled-mark.ts';

/** Within what a request of an API may take, also for several images after each other. */
const askMs = 20_000;

/** Source: Docker Engine API, DistributionInspect. */
interface Distribution {
  readonly Descriptor: { readonly digest: string };
  readonly Platforms?: readonly { readonly architecture?: string; readonly os?: string }[] | null;
}

export interface RegistryParts
  extends Pick<ImagesParts, 'nodes' | 'registries' | 'names' | 'logger' | 'freeSpaceFloorBytes'> {
  readonly builder: () => Promise<Pick<BuildNode, 'api' | 'ready'>>;
}

/** Rejects with ImageUnavailable. */
export async function locateImage(
  parts: RegistryParts,
  reference: string,
  credentials: RegistryCredentials | null,
): Promise<string> {
  const image = read(reference);
  const [api] = await parts.nodes();
  if (api === undefined) throw unavailable('no node is ready that could look for images');
  return (await locate(parts, api, image, credentials)).artifactDigest;
}

/** Pulls it to the node that builds: what it listens on and runs stands in the image itself. Rejects with ImageUnavailable. */
export async function resolveImage(
  parts: RegistryParts,
  reference: string,
  credentials: RegistryCredentials | null,
  signal?: AbortSignal,
): Promise<ImageDescription> {
  const { names, logger, freeSpaceFloorBytes: floorBytes = defaultFloorBytes } = parts;
  const image = read(reference);
  const { api, ready } = await parts.builder();
  const { digest, artifactDigest } = await locate(parts, api, image, credentials, signal);
  const located = { ...image, tag: null, digest };
  const place = { api, names, floorBytes, ready, logger };
  await pullForInstall(place, located, credentials === null ? [] : [credentials], signal);
  return { ...(await describeBuilt(api, imageText(located))), artifactDigest };
}

/**
 * A manifest list is located as the whole list: each node takes what is made for it. Nothing is answered from what a node has already, so
 * that whoever may not have an image does not get one that another team pulled.
 */
async function locate(
  { registries = publicOnly }: RegistryParts,
  api: DockerApi,
  image: CanonicalImage,
  credentials: RegistryCredentials | null,
  signal: AbortSignal = new AbortController().signal,
): Promise<{ readonly digest: string; readonly artifactDigest: string }> {
  await admitRegistry(registries, image.host);
  const late = AbortSignal.timeout(askMs);
  try {
    const { Descriptor, Platforms } = await api.call<Distribution>('GET', `/distribution/${imageText(image)}/json`, {
      headers: registryAuth(image.host, credentials),
      signal: AbortSignal.any([late, signal]),
    });
    if (!/^sha256:[0-9a-f]{64}$/.test(Descriptor.digest))
      throw new ImageUnavailable('refused', `the image ${imageText(image)} has a digest of an unknown kind`);
    if (!(await runsOn(api, Platforms ?? []))) throw notMadeFor(image);
    return { digest: Descriptor.digest, artifactDigest: imageDigest(image, Descriptor.digest) };
  } catch (error) {
    signal.throwIfAborted();
    if (late.aborted) throw tooSlow(image);
    if (!(error instanceof DockerError)) throw error;
    throw troubleWith({ status: error.status, message: error.message, image, signedIn: credentials !== null });
  }
}

/** Nothing said: then the pull will tell. */
async function runsOn(api: DockerApi, platforms: NonNullable<Distribution['Platforms']>): Promise<boolean> {
  const said = platforms.filter(({ os, architecture }) => os && architecture);
  if (said.length === 0) return true;
  const { Os, Arch } = await api.call<{ readonly Os: string; readonly Arch: string }>('GET', '/version');
  return said.some(({ os, architecture }) => os === Os && architecture === Arch);
}

function read(reference: string): CanonicalImage {
  try {
    return canonicalImage(reference);
  } catch (error) {
    throw error instanceof BerthError ? new ImageUnavailable('refused', error.message) : error;
  }
}
