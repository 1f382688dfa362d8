/**
 * Builds an image of a Dockerfile on one node, by its daemon's BuildKit. What ends the build on this side (its signal, the death of this
 * process) ends it on the daemon, because its connection closes.
 */
import type { ImageBuildFailure, ImageBuildInput, ImageDescription } from '../../../../core/ports/images.ts';
import { labels } from '../../names.ts';
import { buildTag } from '../artifact-form.ts';
import { describeBuilt } from '../describe-built.ts';
import type { BuildNode, ImagesParts } from '../images-parts.ts';
import { whileSpaceLasts } from '../retention/disk-watch.ts';
import { admitBuild, defaultFloorBytes, filledByBuild } from '../retention/free-space.ts';
import { whileWanted } from '../while-wanted.ts';
import { admitBuilder } from './admit-builder.ts';
import type { BuildRequest } from './build-request.ts';
import { buildWithBuildKit } from './buildkit-build.ts';
import { hostArguments, hostSecrets } from './host-surroundings.ts';

/** Read by BuildKit's frontend for Dockerfiles; no ARG need name it. Source: moby/buildkit, frontend/dockerfile/docs/reference.md. */
const cacheNamespace = 'BUILDKIT_CACHE_MOUNT_NS';

/**
 * Rejects with `unavailable` when no node can build now, with BuildFailure `disk` when its disk is full and `unsupported` when its daemon
 * does not build, and with the signal's reason.
 */
export async function buildImage(
  parts: ImagesParts,
  given: ImageBuildInput,
  signal: AbortSignal,
): Promise<ImageDescription | ImageBuildFailure> {
  const { names, hostEnvironment, freeSpaceFloorBytes: floorBytes = defaultFloorBytes } = parts;
  try {
    signal.throwIfAborted();
    const node = await whileWanted(signal, preparedNode(parts, floorBytes));
    const { api } = node;
    const input = {
      ...given,
      secrets: { ...hostSecrets(hostEnvironment), ...given.secrets },
      arguments: {
        ...hostArguments(hostEnvironment),
        ...given.arguments,
        // The daemon has one store of cache mounts for all whose builds it does.
        [cacheNamespace]: given.cacheScope,
      },
    };
    const request: BuildRequest = {
      input,
      query: {
        dockerfile: input.dockerfile,
        t: buildTag(input.buildId),
        labels: { [labels.install]: names.installId },
        buildargs: input.arguments,
        // What the daemon has already may be another team's: the registry says who may have it.
        pull: true,
      },
    };
    const build = (bounded: AbortSignal) =>
      withLimits(node, input, bounded, (limited) => buildWithBuildKit(api, request, limited, parts.registries));
    const outcome = await whileSpaceLasts({ api, names, floorBytes }, signal, build, () => filledByBuild(floorBytes));
    return 'failed' in outcome ? outcome : await describeBuilt(api, outcome.imageId);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    given.context.destroy();
  }
}

/** One that builds, has room, and keeps what steps reach. */
async function preparedNode(parts: ImagesParts, floorBytes: number): Promise<BuildNode> {
  const node = await parts.builder();
  await admitBuilder(node.api);
  await node.protect();
  await admitBuild(node.api, parts.names, floorBytes);
  return node;
}

/** The build ends when its steps would run without limits. */
async function withLimits<T>(
  { stepLimits }: BuildNode,
  { limits }: ImageBuildInput,
  signal: AbortSignal,
  work: (bounded: AbortSignal) => Promise<T>,
): Promise<T> {
  const holding = stepLimits.hold(limits);
  try {
    const { lost } = await whileWanted(signal, holding);
    try {
      return await work(AbortSignal.any([signal, lost]));
    } catch (error) {
      throw lost.aborted ? lost.reason : error;
    }
  } finally {
    holding.then(
      ({ release }) => release(),
      () => {},
    );
  }
}
