/** Deploying through the public API, as a client would. */
import { ClientError } from '../../src/client/client.ts';
import type { TestPlatform } from './platform.ts';
import { archiveUri } from './source.ts';
import { until } from './until.ts';

export interface WireBuild {
  readonly id: string;
  readonly status: string;
}
export interface WireRelease {
  readonly id: string;
  readonly status: string;
  readonly state: string;
  readonly version: number;
  readonly slug: { readonly id: string };
}
export interface WireDyno {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly state: string;
  readonly restarts: number;
  readonly additional_info: string;
}

/** An app of the main team; gives its path. Its key is `<name>-<space>`. */
export async function createApp(platform: TestPlatform, name: string, space = 'default'): Promise<string> {
  await platform.akkeris.post('/apps', { name, space, org: 'main' });
  return `/apps/${name}-${space}`;
}

/** Files by path, or the address of an archive. */
export type Source = Readonly<Record<string, string>> | string;

export async function startBuild(platform: TestPlatform, path: string, source: Source): Promise<WireBuild> {
  return startBuildOf(platform, path, source, {});
}

/** `said`: what else the request says of the source. */
export async function startBuildOf(
  platform: TestPlatform,
  path: string,
  source: Source,
  said: { readonly version?: string },
): Promise<WireBuild> {
  return platform.akkeris.post<WireBuild>(`${path}/builds`, {
    checksum: '',
    url: typeof source === 'string' ? source : await archiveUri(source),
    repo: 'https://example.test/repo',
    sha: '',
    version: '',
    ...said,
  });
}

/** Waits for a build and for the release that follows it by itself. Rejects with the log of a failed one. */
export async function deploy(
  platform: TestPlatform,
  path: string,
  source: Source,
): Promise<{ build: WireBuild; release: WireRelease }> {
  const { id } = await startBuild(platform, path, source);
  const build = await endOfBuild(platform, path, id);
  if (build.status === 'failed')
    throw new Error(`the build failed:\n${(await buildLog(platform, path, id)).join('\n')}`);
  return { build, release: await releaseOf(platform, path, id) };
}

/** The build once it has succeeded or failed. */
export function endOfBuild(platform: TestPlatform, path: string, id: string): Promise<WireBuild> {
  return until(
    `build ${id} ends`,
    async () => {
      const found = await platform.akkeris.get<WireBuild>(`${path}/builds/${id}`);
      return found.status === 'succeeded' || found.status === 'failed' ? found : null;
    },
    120_000,
  );
}

/** The lines of a build's log, so far. */
export async function buildLog(platform: TestPlatform, path: string, id: string): Promise<readonly string[]> {
  return (await platform.akkeris.get<{ lines: readonly string[] }>(`${path}/builds/${id}/result`)).lines;
}

/** Waits until just so many dynos of the type run, and no others of it are there. Gives them. */
export function untilRunning(
  platform: TestPlatform,
  path: string,
  type: string,
  quantity: number,
): Promise<readonly WireDyno[]> {
  return until(
    `${quantity} ${type} dynos of ${path} run`,
    async () => {
      const dynos = (await platform.akkeris.get<readonly WireDyno[]>(`${path}/dynos`)).filter(
        (dyno) => dyno.type === type,
      );
      return dynos.length === quantity && dynos.every((dyno) => dyno.state === 'running') ? dynos : null;
    },
    60_000,
    50,
  );
}

/** The release of a build once it has succeeded or failed. */
export function releaseOf(platform: TestPlatform, path: string, buildId: string): Promise<WireRelease> {
  return until(
    `build ${buildId} is released`,
    async () => {
      const releases = await platform.akkeris.get<readonly WireRelease[]>(`${path}/releases`);
      return (
        releases.find((release) => release.slug.id === buildId && ['succeeded', 'failed'].includes(release.status)) ??
        null
      );
    },
    120_000,
  );
}

/** Asks again while the server or its database is down; other errors stay errors. */
export async function patiently<T>(call: () => Promise<T>): Promise<T> {
  return (
    await until(
      'the API answers',
      async () => {
        try {
          return { value: await call() };
        } catch (error) {
          if (error instanceof ClientError && error.status < 500) throw error;
          return null;
        }
      },
      60_000,
      50,
    )
  ).value;
}
