/** An app of one component that runs, for tests of its instances. */
import type { TestPlatform } from '../../support/platform.ts';
import { type AppShape, appIs, buildImage, type Swarm, unique } from './swarm.ts';

export interface RunningApp {
  /** Below /v1. */
  readonly path: string;
  readonly name: string;
  /** Of the component's instances. */
  readonly ids: readonly [string, ...string[]];
}

/**
 * `files` are a source whose `web` process is the component `service/component`, with `quantity` instances; `more` are further keys of
 * the component.
 */
export async function runApp(
  platform: TestPlatform,
  swarm: Swarm,
  files: Readonly<Record<string, string>>,
  quantity = 1,
  more: Readonly<Record<string, unknown>> = {},
): Promise<RunningApp> {
  const image = await buildImage(platform, unique('image'), { '1': files });
  const name = unique('app');
  const path = `/org/main/env/dev/app/${name}`;
  const component = {
    component_name: 'component',
    image: `${image}:1`,
    scaling_policy: { min: quantity, max: 10 },
    ...more,
  };
  const made = await swarm('POST', '/org/main/env/dev/app/', {
    app_name: name,
    services: [{ service_name: 'service', components: [component] }],
  });
  if (made.status !== 200) throw new Error(made.text);
  await swarm('POST', `${path}/start`);
  return { path, name, ids: idsOf(await appIs(swarm, path, 'up')) };
}

export function idsOf(app: AppShape): RunningApp['ids'] {
  const [first, ...others] = (app.services[0]?.components[0]?.instances ?? []).map(({ id }) => id);
  if (first === undefined) throw new Error('the app has no instances');
  return [first, ...others];
}
