/** Definitions over the wire: samples are taken and shown again, wrong ones are refused by path, and nothing is left of a refused one. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { type ServedSwarm, serveGiantSwarm } from './served.ts';
import { type AppShape, type Swarm, swarmAt, unique } from './swarm.ts';
import { sample, substitute } from './variables.ts';

suite('definitions over the wire', () => {
  const endings: (() => unknown)[] = [];
  let served: ServedSwarm;
  let swarm: Swarm;
  before(async () => {
    served = await serveGiantSwarm({ after: (work) => void endings.push(work as () => unknown) });
    swarm = swarmAt(`${served.url}/v1`, served.tokens.member);
  });
  after(async () => {
    for (const end of endings) await end();
  });

  const vars = {
    username: 'ann',
    GIANTSWARM_LOGIN_NAME: 'ann',
    redis_port: 6379,
    ...(JSON.parse(sample('vars-docs-2016-10.json')) as Record<string, Record<string, string>>)[
      'giantswarm/production'
    ],
  };
  const samples = readdirSync(new URL('samples/', import.meta.url)).filter((name) => !name.startsWith('vars-'));
  for (const name of samples)
    test(name, async () => {
      const environment = `/org/acme/env/${unique('e')}`;
      const domain = `${unique('hello-')}.gigantic.io`;
      const text = substitute(sample(name), { ...vars, domain, domain_name: domain });
      const reply = await swarm('POST', `${environment}/app/`, text, {
        'content-type': 'application/x-www-form-urlencoded',
      });
      const apps = async () => (await swarm('GET', `${environment}/app/`)).json.data as { app: string }[] | undefined;
      if (name.startsWith('synthetic-bad')) {
        assert.deepEqual([reply.status, reply.json.status_code], [400, 10013]);
        assert.match(reply.json.status_text ?? '', /^wrong input: \["/);
        assert.equal((await apps())?.length ?? 0, 0);
        return;
      }
      assert.equal(reply.json.status_code, 10003, reply.text);
      const [listed] = (await apps()) ?? [];
      const path = `${environment}/app/${listed?.app}`;
      const shown = await swarm('GET', `${path}/config`);
      const status = (await swarm('GET', `${path}/status`)).json.data as AppShape;
      assert.equal(status.status, 'down');
      assert.equal(status.name, listed?.app);
      assert.equal((await swarm('DELETE', path)).json.status_code, 10007);
      // What is shown can be given back, and is shown the same again.
      assert.equal((await swarm('POST', `${environment}/app/`, shown.json.data)).json.status_code, 10003);
      assert.equal((await swarm('GET', `${path}/config`)).text, shown.text);
      await swarm('DELETE', path);
    });

  test('what is no definition is refused, and so is what is no JSON', async () => {
    for (const body of ['{', '"text"', '[]', '{}', '{"app_name":"x"}', '{"app_name":"x","services":[]}']) {
      const reply = await swarm('POST', '/org/acme/env/dev/app/', body);
      assert.deepEqual([reply.status, reply.json.status_code], [400, 10013], body);
    }
    const own = {
      app_name: 'x',
      services: [
        {
          service_name: 's',
          components: [{ component_name: 'c', image: 'i', ports: [80], domains: { 'x.apps.test': 80 } }],
        },
      ],
    };
    assert.equal((await swarm('POST', '/org/acme/env/dev/app/', own)).json.status_code, 10013);
  });

  test('one name in several environments and organizations is several apps', async () => {
    const [one, two] = [unique('a'), unique('b')];
    const definition = {
      app_name: 'same',
      services: [{ service_name: 's', components: [{ component_name: 'c', image: 'i' }] }],
    };
    const other = swarmAt(`${served.url}/v1`, served.tokens.stranger);
    for (const [as, org, environment] of [
      [swarm, 'acme', one],
      [swarm, 'acme', two],
      [other, 'other', one],
    ] as const)
      assert.equal((await as('POST', `/org/${org}/env/${environment}/app/`, definition)).json.status_code, 10003);
    assert.equal((await swarm('DELETE', `/org/acme/env/${one}/app/same`)).status, 200);
    assert.equal((await swarm('GET', `/org/acme/env/${two}/app/same/status`)).json.status_code, 10000);
    assert.equal((await other('GET', `/org/other/env/${one}/app/same/status`)).json.status_code, 10000);
  });
});
