/** A client of this API as scripts with curl are, and images to run: builds made through another dialect. */
import { randomBytes } from 'node:crypto';
import { endOfBuild, type Source, startBuildOf } from '../../support/deploy.ts';
import type { TestPlatform } from '../../support/platform.ts';
import { type Answer, ask } from '../../support/request.ts';
import { until } from '../../support/until.ts';

export interface Reply {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  /** The envelope; empty for other answers. */
  readonly json: { readonly status_code?: number; readonly status_text?: string; readonly data?: unknown };
}

export interface InstanceShape {
  readonly id: string;
  readonly status: string;
  readonly create_date: string;
  readonly image: string;
  readonly image_hash: string;
}
export interface ComponentShape {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly status: string;
  readonly instances: readonly InstanceShape[];
}
export interface ServiceShape {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly status: string;
  readonly components: readonly ComponentShape[];
}
export interface AppShape {
  readonly name: string;
  readonly status: string;
  readonly services: readonly ServiceShape[];
}

export type Swarm = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Reply>;

/** `token` null: without signing in. Paths are below `/v1`. */
export const swarmOf = (platform: Pick<TestPlatform, 'port'>, token: string | null): Swarm =>
  swarmAt(`http://127.0.0.1:${platform.port + 1}/v1`, token);

export function swarmAt(base: string, token: string | null): Swarm {
  return async (method, path, body, headers = {}) => {
    const response = await fetch(`${base}${path}`, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `giantswarm ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    let json: Reply['json'] = {};
    try {
      json = JSON.parse(text) as Reply['json'];
    } catch {
      // Some answers are text.
    }
    return { status: response.status, type: response.headers.get('content-type') ?? '', text, json };
  };
}

export const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
export const unique = (prefix: string): string => `${prefix}${randomBytes(4).toString('hex')}`;

/** Builds an app of team `main` and gives the image's name without a tag. The app itself runs nothing. */
export async function buildImage(
  platform: TestPlatform,
  name: string,
  versions: Readonly<Record<string, Source>>,
): Promise<string> {
  const path = `/apps/${name}-default`;
  await platform.akkeris.post('/apps', { name, space: 'default', org: 'main' });
  await platform.akkeris.patch(`${path}/features/auto-release`, { enabled: false });
  for (const [version, source] of Object.entries(versions)) {
    const { id } = await startBuildOf(platform, path, source, { version });
    const build = await endOfBuild(platform, path, id);
    if (build.status !== 'succeeded') throw new Error(`the build of ${name}:${version} is ${build.status}`);
  }
  return `registry.example.com/main/${name}`;
}

/** Waits until the whole app has the status. */
export function appIs(swarm: Swarm, path: string, status: string): Promise<AppShape> {
  let last: AppShape | null = null;
  return until(
    `${path} is ${status}`,
    async () => {
      last = (await swarm('GET', `${path}/status`)).json.data as AppShape;
      return last.status === status ? last : null;
    },
    60_000,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}; last: ${JSON.stringify(last)}`);
  });
}

/** A request to the router under a host name of the test's own. */
export const visit = (platform: TestPlatform, host: string, path = '/'): Promise<Answer> =>
  ask({ routerPort: platform.routerPort, hostOf: () => host }, host, path);
