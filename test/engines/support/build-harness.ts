/** Builds of Dockerfiles on a daemon of a test's own, with the helper and the firewall that the engine has there. */
import { randomBytes, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import type { ImageBuildFailure, ImageBuildInput, ImageDescription, Images } from '../../../src/core/ports/images.ts';
import { DockerApi } from '../../../src/engines/docker/api/docker-api.ts';
import { endpointOf } from '../../../src/engines/docker/api/endpoint.ts';
import { StepLimits } from '../../../src/engines/docker/images/build/step-limits.ts';
import { createDockerImages } from '../../../src/engines/docker/images/images.ts';
import { publicOnly, type RegistryRules } from '../../../src/engines/docker/images/registry-rules.ts';
import { StackImage } from '../../../src/engines/docker/images/stack-image.ts';
import { Names } from '../../../src/engines/docker/names.ts';
import { BuildFirewall } from '../../../src/engines/docker/network/build-firewall.ts';
import { NodeHelper } from '../../../src/engines/docker/node-helper.ts';
import { removeContainer } from '../../../src/engines/docker/standing-container.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { publishBase } from '../../support/base-image.ts';
import { type DockerDaemon, startDockerDaemon } from '../../support/docker-daemon.ts';

export type Files = Readonly<Record<string, string>>;

export interface BuildHarness {
  readonly daemon: DockerDaemon;
  readonly api: DockerApi;
  readonly images: Images;
  /** The same on a node that must keep so much free. */
  withFloor(freeSpaceFloorBytes: number): Images;
  /** The same where images come from other registries. */
  withRegistries(registries: RegistryRules): Images;
  readonly names: Names;
  readonly firewall: BuildFirewall;
  /** A base image with a shell, curl and `node` at `node`; and the same image as the daemon alone has it. */
  readonly base: string;
  readonly stack: string;
  readonly node: string;
  input(files: Files, change?: Partial<ImageBuildInput>): ImageBuildInput;
  /** Builds to the end; `lines` is the log. */
  build(
    files: Files,
    change?: Partial<ImageBuildInput>,
    signal?: AbortSignal,
  ): Promise<{ readonly outcome: ImageDescription | ImageBuildFailure; readonly lines: string[] }>;
  close(): Promise<void>;
}

export const buildLimits = { memoryBytes: 256 * 2 ** 20, cpuShares: 256 };

export async function buildHarness(
  configuration: Readonly<Record<string, unknown>> = {},
  hostEnvironment: Readonly<Record<string, string>> = {},
): Promise<BuildHarness> {
  const daemon = await startDockerDaemon(configuration);
  const api = new DockerApi(endpointOf(daemon.host, null));
  const names = new Names(randomBytes(4).toString('hex'));
  const stack = await new StackImage(api, process.execPath).ensure();
  const base = await publishBase(daemon, api, stack);
  const helper = new NodeHelper({ api, names, image: async () => stack });
  const rules = () => ({ pool: daemon.addressPool, refuse: [daemon.hostAddress] });
  const firewall = new BuildFirewall({ api, helper, chainPrefix: names.chainPrefix, rules });
  const stepLimits = new StepLimits({ api, helper });
  const parts = {
    nodes: async () => [api],
    builder: async () => ({ api, stepLimits, ready: () => helper.standing(), protect: () => firewall.raise() }),
    ...{ names, clock: systemClock, logger: silentLogger, hostEnvironment },
    registries: { ...publicOnly, allowPrivate: true },
  };
  const images = createDockerImages(parts);
  const withRegistries = (registries: RegistryRules): Images => createDockerImages({ ...parts, registries });
  const withFloor = (freeSpaceFloorBytes: number): Images => createDockerImages({ ...parts, freeSpaceFloorBytes });
  const input = (files: Files, change: Partial<ImageBuildInput> = {}): ImageBuildInput =>
    buildInput({ context: contextOf(files), ...change });
  return {
    ...{ daemon, api, images, withFloor, withRegistries, names, firewall, stack, base: base.reference, input },
    node: '/opt/berth/node/bin/node',
    async build(files, change = {}, signal = new AbortController().signal) {
      const lines: string[] = [];
      const log = (line: string): void => {
        lines.push(line);
        change.log?.(line);
      };
      return { outcome: await images.build(input(files, { ...change, log }), signal), lines };
    },
    async close() {
      await removeContainer(api, names.helper).catch(() => {});
      api.close();
      await base.close();
      await daemon.close();
    },
  };
}

/** What nobody has anything to say about, but for `given`. */
export const buildInput = (given: Pick<ImageBuildInput, 'context'> & Partial<ImageBuildInput>): ImageBuildInput => ({
  buildId: randomUUID(),
  dockerfile: 'Dockerfile',
  secrets: {},
  cacheScope: 'app',
  arguments: {},
  limits: buildLimits,
  credentials: async () => null,
  log: () => {},
  ...given,
});

export function contextOf(files: Files): Readable {
  const tar = pack();
  for (const [name, text] of Object.entries(files)) tar.entry({ name }, text);
  tar.finalize();
  return Readable.from(tar, { objectMode: false });
}

/** The image, or an assertion's worth of why there is none. */
export function built(outcome: ImageDescription | ImageBuildFailure): ImageDescription {
  if ('failed' in outcome) throw new Error(`the build failed: ${outcome.failed}`);
  return outcome;
}

export function failed(outcome: ImageDescription | ImageBuildFailure): string {
  if (!('failed' in outcome)) throw new Error(`the build made ${outcome.artifactDigest}`);
  return outcome.failed;
}

/** The id of an image that was built here. */
export const imageIdOf = ({ artifactDigest }: ImageDescription): string => artifactDigest.replace(/^image:/, '');
