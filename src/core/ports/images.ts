/**
 * Images of containers: looked up in registries, built of Dockerfiles, kept and pruned. Only an engine that runs containers has them; where
 * there is none, images that were not built here are refused.
 */
import type { Readable } from 'node:stream';
import type { Environment, Secret } from './secret.ts';

export interface RegistryCredentials {
  readonly username: string;
  readonly password: Secret;
}

/** What an image says about how it wants to be run. */
export interface ImageDescription {
  /**
   * `docker://<registry>/<name>@sha256:<hex>` for one of a registry, `image:sha256:<hex>` for one that was built here. An artifact digest
   * like any other: InstanceSpec, releases and builds carry it.
   */
  readonly artifactDigest: string;
  readonly sizeBytes: number;
  /** Ports of EXPOSE, TCP only, in ascending order. */
  readonly ports: readonly number[];
  /** Whether the image says what to run when nobody else does. */
  readonly hasCommand: boolean;
}

/** Why an image is not to be had, in words for whoever named it. */
export class ImageUnavailable extends Error {
  readonly code: 'not-found' | 'unauthorized' | 'unreachable' | 'refused';
  constructor(code: ImageUnavailable['code'], message: string) {
    super(message);
    this.name = 'ImageUnavailable';
    this.code = code;
  }
}

export interface ImageBuildInput {
  /** Of the build: what runs can be found again and killed by it. */
  readonly buildId: string;
  /** A tar of the build context. */
  readonly context: Readable;
  /** Path of the Dockerfile within the context. */
  readonly dockerfile: string;
  /** Mounted for RUN steps that ask by `--mount=type=secret,id=<name>`; never in a layer, the log or the cache's key. */
  readonly secrets: Environment;
  /** Builds of one scope share what steps keep by `--mount=type=cache`, and no others do. Printable, without spaces. */
  readonly cacheScope: string;
  /** ARG values, which do end up in the image's history. */
  readonly arguments: Readonly<Record<string, string>>;
  readonly limits: { readonly memoryBytes: number; readonly cpuShares: number };
  /** Base images of private registries: credentials by host. */
  readonly credentials: (host: string) => Promise<RegistryCredentials | null>;
  /** One line of progress or output. */
  readonly log: (line: string) => void;
}

export interface ImageBuildFailure {
  readonly failed: string;
}

export interface Images {
  /**
   * The artifact digest of what a reference means now: `docker://<registry>/<name>@sha256:<hex>`. Asks the registry and pulls nothing, so
   * it is quick enough for a request. Rejects with ImageUnavailable.
   */
  locate(reference: string, credentials: RegistryCredentials | null): Promise<string>;
  /**
   * The image that a reference (`[registry/]name[:tag][@digest]`) means now, by digest, present in the registry; pulls nothing but what
   * `describe` needs. Rejects with ImageUnavailable, and with the signal's reason.
   */
  resolve(reference: string, credentials: RegistryCredentials | null, signal?: AbortSignal): Promise<ImageDescription>;
  /**
   * Resolves with the image, or with why the Dockerfile is at fault; aborting the signal really stops the work. What the Dockerfile begins
   * with is asked for at its registry, whatever the machine has already: that may be somebody else's.
   */
  build(input: ImageBuildInput, signal: AbortSignal): Promise<ImageDescription | ImageBuildFailure>;
  /** Whether an image that `resolve` or `build` gave can still be run. */
  has(artifactDigest: string): Promise<boolean>;
  /** Deletes images of this install that nothing needs, on every node, and build cache over its limit; more of both below the free-space floor. */
  prune(keep: ReadonlySet<string>): Promise<{ readonly removed: number; readonly freedBytes: number }>;
}
