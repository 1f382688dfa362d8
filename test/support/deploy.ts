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
}

/** An app in the default space; its key is `<name>-default`. */
export async function createApp(platform: TestPlatform, name: string): Promise<string> {
  await platform.akkeris.post('/apps', { name, space: 'default', org: 'main' });
  return `/apps/${name}-default`;
}

export async function startBuild(
  platform: TestPlatform,
  path: string,
  files: Readonly<Record<string, string>>,
): Promise<WireBuild> {
  return platform.akkeris.post<WireBuild>(`${path}/builds`, {
    checksum: '',
    url: await archiveUri(files),
    repo: 'https://example.test/repo',
    sha: '',
    version: '',
  });
}

/** Waits for a build and for the release that follows it by itself. Rejects with the log of a failed one. */
export async function deploy(
  platform: TestPlatform,
  path: string,
  files: Readonly<Record<string, string>>,
): Promise<{ build: WireBuild; release: WireRelease }> {
  const { id } = await startBuild(platform, path, files);
  const build = await until(
    `build ${id} ends`,
    async () => {
      const found = await platform.akkeris.get<WireBuild>(`${path}/builds/${id}`);
      return found.status === 'succeeded' || found.status === 'failed' ? found : null;
    },
    120_000,
  );
  if (build.status === 'failed') {
    const { lines } = await platform.akkeris.get<{ lines: readonly string[] }>(`${path}/builds/${id}/result`);
    throw new Error(`the build failed:\n${lines.join('\n')}`);
  }
  return { build, release: await releaseOf(platform, path, id) };
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
