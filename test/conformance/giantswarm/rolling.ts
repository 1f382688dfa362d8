/** A component that is moved to and fro between two versions while requests come at a steady pace. */
import assert from 'node:assert/strict';
import { type LoadResult, startLoad } from '../../support/load.ts';
import type { TestPlatform } from '../../support/platform.ts';
import { until } from '../../support/until.ts';
import { type AppShape, appIs, swarmOf, unique, visit } from './swarm.ts';

export interface Rolling {
  /** An image whose tags `one` and `two` answer with these words. */
  readonly image: string;
  readonly strategy: string;
  readonly instances: number;
  readonly rounds: number;
  readonly perSecond: number;
  readonly volumes?: readonly unknown[];
}

const SLOW_MS = 300;
const ROUND_MS = 60_000;

/** Makes an app, moves it under load, and deletes it. Gives what became of the requests, and the ids of its instances after each round. */
export async function rollUnderLoad(
  platform: TestPlatform,
  { image, strategy, instances, rounds, perSecond, volumes = [] }: Rolling,
): Promise<{ result: LoadResult; ids: readonly (readonly string[])[] }> {
  const swarm = swarmOf(platform, platform.token);
  const name = unique('roll');
  const domain = `${name}.gigantic.io`;
  const component = {
    component_name: 'web',
    image: `${image}:one`,
    ports: [80],
    domains: { [domain]: 80 },
    scaling_policy: { min: instances },
    ...(volumes.length === 0 ? {} : { volumes }),
  };
  const path = `/org/main/env/dev/app/${name}`;
  await swarm('POST', '/org/main/env/dev/app/', {
    app_name: name,
    services: [{ service_name: 's', components: [component] }],
  });
  await swarm('POST', `${path}/start`);
  const idsOf = ({ services }: AppShape) => services[0]?.components[0]?.instances.map(({ id }) => id) ?? [];
  const status = async () => (await swarm('GET', `${path}/status`)).json.data as AppShape;
  const ids = [idsOf(await appIs(swarm, path, 'up'))];
  const target = { routerPort: platform.routerPort, hostOf: () => domain };
  const load = startLoad(target, domain, perSecond, `/slow?ms=${SLOW_MS}`);
  try {
    for (let round = 1; round <= rounds; round += 1) {
      const version = round % 2 === 1 ? 'two' : 'one';
      const reply = await swarm('POST', `${path}/service/s/component/web/version/${version}/update`, { strategy });
      assert.equal(reply.json.status_code, 10006, reply.text);
      const moved = async (): Promise<boolean> => {
        const shown = (await status()).services[0]?.components[0]?.instances ?? [];
        return (
          shown.length === instances && shown.every((each) => each.status === 'up' && each.image.endsWith(version))
        );
      };
      await until(`round ${round} of ${strategy} is over`, moved, ROUND_MS);
      // Every instance serves the new version: the strategy is through.
      await until(`no instance of round ${round} is left behind`, async () => {
        const answers = await Promise.all(Array.from({ length: 4 * instances }, () => visit(platform, domain)));
        return answers.every((answer) => answer.status === 200 && answer.body.includes(version));
      });
      ids.push(idsOf(await status()));
    }
  } finally {
    await load.stop();
  }
  const result = await load.stop();
  await swarm('DELETE', path);
  return { result, ids };
}
