// test-timeout: 300
/** What each update strategy promises, under load: requests come at a steady pace while components move between versions. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { type LoadResult, startLoad } from '../../support/load.ts';
import { startPlatform, type TestPlatform } from '../../support/platform.ts';
import { versionedApp } from '../../support/source.ts';
import { until } from '../../support/until.ts';
import { type AppShape, appIs, buildImage, type Swarm, swarmOf, unique, visit } from './swarm.ts';

const PER_SECOND = 100;
const ROUNDS = 4;

suite('strategies under load', () => {
  const endings: (() => Promise<void>)[] = [];
  let platform: TestPlatform;
  let swarm: Swarm;
  let image: string;
  before(async () => {
    platform = await startPlatform({ after: (work: () => Promise<void>) => void endings.push(work) });
    swarm = swarmOf(platform, platform.token);
    image = await buildImage(platform, unique('moving'), {
      '1.0': versionedApp('one', 'strategies'),
      '2.0': versionedApp('two', 'strategies'),
    });
  });
  after(async () => {
    for (const end of endings) await end();
  });

  /** Runs `instances` of the app and updates them to and fro under load; gives what became of the requests and the ids seen. */
  async function rollUnderLoad(
    strategy: string,
    instances: number,
    volumes: readonly unknown[] = [],
  ): Promise<{ result: LoadResult; ids: readonly string[][] }> {
    const name = unique('roll');
    const domain = `${name}.gigantic.io`;
    const component = {
      component_name: 'web',
      image: `${image}:1.0`,
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
    const ids = [idsOf(await appIs(swarm, path, 'up'))];
    const load = startLoad(
      { routerPort: platform.routerPort, hostOf: () => domain },
      domain,
      PER_SECOND,
      '/slow?ms=300',
    );
    for (let round = 1; round <= ROUNDS; round += 1) {
      const [tag, version] = round % 2 === 1 ? ['2.0', 'two'] : ['1.0', 'one'];
      const reply = await swarm('POST', `${path}/service/s/component/web/version/${tag}/update`, { strategy });
      assert.equal(reply.json.status_code, 10006, reply.text);
      await until(`round ${round} of ${strategy} is over`, async () => {
        const status = (await swarm('GET', `${path}/status`)).json.data as AppShape;
        const shown = status.services[0]?.components[0];
        const moved = shown?.instances.every((instance) => instance.status === 'up' && instance.image.endsWith(tag));
        const answer = await visit(platform, domain);
        return moved && shown?.instances.length === instances && answer.status === 200 && answer.body.includes(version);
      });
      // Every instance serves the new version: the strategy is through.
      await until(`no instance of round ${round} is left behind`, async () => {
        const answers = await Promise.all(Array.from({ length: 4 * instances }, () => visit(platform, domain)));
        return answers.every((answer) => answer.status === 200 && answer.body.includes(version));
      });
      ids.push(idsOf((await swarm('GET', `${path}/status`)).json.data as AppShape));
    }
    const result = await load.stop();
    await swarm('DELETE', path);
    return { result, ids };
  }

  test('one-by-one with two instances has no outage, and instances keep their ids', async () => {
    const { result, ids } = await rollUnderLoad('one-by-one', 2);
    assert.deepEqual(result.failures, []);
    assert.deepEqual(
      ids,
      Array.from({ length: ROUNDS + 1 }, () => ids[0]),
    );
  });

  test('one-by-one with volumes: a seat is left before it is taken again, and two instances have no outage', async () => {
    const { result, ids } = await rollUnderLoad('one-by-one', 2, [{ path: '/data', size: '1 GB' }]);
    assert.deepEqual(result.failures, []);
    assert.deepEqual(
      ids,
      Array.from({ length: ROUNDS + 1 }, () => ids[0]),
    );
  });

  test('hot-swap has no outage even with one instance; the new one has a new id', async () => {
    const { result, ids } = await rollUnderLoad('hot-swap', 1, [{ path: '/data', size: '1 GB' }]);
    assert.deepEqual(result.failures, []);
    assert.equal(new Set(ids.flat()).size, ROUNDS + 1);
  });

  test('all-at-once stops the old before the new: what fails in between is refused with 503, and ids stay', async () => {
    const { result, ids } = await rollUnderLoad('all-at-once', 2);
    assert.ok(result.failed < result.sent, 'it serves before and after');
    assert.ok(
      result.failures.every((failure) => failure.includes('503')),
      result.failures.join('\n'),
    );
    assert.deepEqual(
      ids,
      Array.from({ length: ROUNDS + 1 }, () => ids[0]),
    );
  });
});
