// test-timeout: 300
/** Components among themselves: links, volumes, pods; images and who may name them; and the same app through another dialect. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { startPlatform, type TestPlatform } from '../../support/platform.ts';
import { archiveUri } from '../../support/source.ts';
import { until } from '../../support/until.ts';
import { type AppShape, appIs, buildImage, type ComponentShape, type Swarm, swarmOf, unique, visit } from './swarm.ts';

/** A web process that asks a store behind a link, and the store, which keeps one text in its volume. */
const files = {
  Procfile: 'web: node web.js\nstore: node store.js\nside: node side.js\n',
  'package.json': '{"name":"pair","private":true}',
  'web.js': `const http = require('http');
http.createServer(async (request, response) => {
  try {
    const answer = await fetch('http://store:6379' + request.url, { headers: { connection: 'close' } });
    const { STORE_PORT_6379_TCP_ADDR: addr, STORE_PORT_6379_TCP_PORT: port } = process.env;
    const byVariable = await fetch('http://' + addr + ':' + port + '/who', { headers: { connection: 'close' } });
    response.end(JSON.stringify({ text: await answer.text(), byVariable: await byVariable.text(), addr }));
  } catch (error) { response.statusCode = 502; response.end(String(error.cause ?? error)); }
}).listen(process.env.PORT);
process.on('SIGTERM', () => process.exit(0));
`,
  'store.js': `const fs = require('fs');
require('http').createServer((request, response) => {
  const url = new URL(request.url, 'http://store');
  if (url.pathname === '/put') { fs.writeFileSync('/data/kept', url.searchParams.get('text')); return response.end('ok'); }
  if (url.pathname === '/who') return response.end(process.env.BERTH_INSTANCE);
  try { response.end(fs.readFileSync('/data/kept', 'utf8')); } catch { response.end('nothing'); }
}).listen(6379);
process.on('SIGTERM', () => process.exit(0));
`,
  'side.js': `const fs = require('fs');
require('http').createServer(async (request, response) => {
  const beside = await fetch('http://127.0.0.1:6379/who').then((answer) => answer.text(), (error) => String(error.cause));
  let shared = 'nothing';
  try { shared = fs.readFileSync('/data/kept', 'utf8'); } catch {}
  response.end(JSON.stringify({ beside, shared }));
}).listen(process.env.PORT);
process.on('SIGTERM', () => process.exit(0));
`,
};

suite('components', () => {
  const endings: (() => Promise<void>)[] = [];
  let platform: TestPlatform;
  let swarm: Swarm;
  let image: string;
  const environment = '/org/main/env/dev';
  before(async () => {
    platform = await startPlatform({ after: (work: () => Promise<void>) => void endings.push(work) });
    swarm = swarmOf(platform, platform.token);
    image = await buildImage(platform, unique('pair'), { '1.0': files });
  });
  after(async () => {
    for (const end of endings) await end();
  });

  async function create(name: string, components: unknown): Promise<string> {
    const definition = { app_name: name, services: [{ service_name: 'pair', components }] };
    const reply = await swarm('POST', `${environment}/app/`, definition);
    assert.equal(reply.json.status_code, 10003, reply.text);
    return `${environment}/app/${name}`;
  }
  async function run(path: string): Promise<AppShape> {
    const reply = await swarm('POST', `${path}/start`);
    assert.equal(reply.json.status_code, 10004, reply.text);
    return appIs(swarm, path, 'up');
  }

  test('a link leads to its target while that stops, starts and scales; its volume keeps what is in it', async () => {
    const [name, domain] = [unique('links'), `${unique('links-')}.gigantic.io`];
    const path = await create(name, [
      {
        component_name: 'web',
        image,
        ports: [80],
        domains: { [domain]: 80 },
        dependencies: [{ name: 'store', port: 6379 }],
      },
      {
        component_name: 'store',
        image,
        args: ['store'],
        ports: ['6379/tcp'],
        volumes: [{ path: '/data', size: '5 GB' }],
      },
    ]);
    await run(path);
    const say = async (url: string) => {
      const answer = await visit(platform, domain, url);
      assert.equal(answer.status, 200, answer.body);
      return JSON.parse(answer.body) as { text: string; byVariable: string; addr: string };
    };
    assert.equal((await say('/get')).text, 'nothing');
    assert.equal((await say('/put?text=kept')).text, 'ok');
    const first = await say('/get');
    assert.equal(first.text, 'kept');

    const service = `${path}/service/pair/component/store`;
    await platform.akkeris.delete(`/apps/${name}-dev/dynos`);
    await until('another instance answers at the same address', async () => {
      const answer = await visit(platform, domain, '/get');
      if (answer.status !== 200) return false;
      const now = JSON.parse(answer.body) as typeof first;
      return now.byVariable !== first.byVariable && now.text === 'kept' && now.addr === first.addr;
    });
    await appIs(swarm, path, 'up');
    await swarm('POST', `${service}/scaleup/1`);
    await appIs(swarm, path, 'up');
    const seen = new Set<string>();
    await until('both instances of the store are reached', async () => {
      seen.add((await say('/who')).byVariable);
      return seen.size === 2;
    });
    await swarm('POST', `${path}/stop`);
    await appIs(swarm, path, 'down');
    await run(path);
    const kept = new Set<string>();
    await until('the first seat has its volume again', async () => {
      kept.add((await say('/get')).text);
      return kept.has('kept');
    });
    assert.equal((await swarm('DELETE', path)).status, 200);
    // The same name again begins with nothing.
    await create(name, [
      {
        component_name: 'web',
        image,
        ports: [80],
        domains: { [domain]: 80 },
        dependencies: [{ name: 'store', port: 6379 }],
      },
      { component_name: 'store', image, args: ['store'], ports: [6379], volumes: [{ path: '/data', size: '5 GB' }] },
    ]);
    await run(path);
    assert.equal((await say('/get')).text, 'nothing');
    await swarm('DELETE', path);
  });

  test('members of a pod share network and volumes, and scale together', async () => {
    const [name, domain] = [unique('pod'), `${unique('pod-')}.gigantic.io`];
    const path = await create(name, [
      {
        component_name: 'store',
        image,
        args: ['store'],
        ports: [6379],
        pod: 'both',
        volumes: [{ path: '/data', size: '1 GB' }],
      },
      {
        component_name: 'side',
        image,
        args: ['side'],
        ports: [8080],
        pod: 'both',
        domains: { [domain]: 8080 },
        volumes: [{ 'volumes-from': 'store' }],
      },
    ]);
    await run(path);
    const { beside, shared } = JSON.parse((await visit(platform, domain)).body) as { beside: string; shared: string };
    assert.match(beside, /^[0-9a-f-]{36}$/);
    assert.equal(shared, 'nothing');
    assert.equal((await swarm('POST', `${path}/service/pair/component/side/scaleup/1`)).json.status_code, 10006);
    const scaled = await appIs(swarm, path, 'up');
    assert.deepEqual(
      scaled.services[0]?.components.map(({ name: component, instances }) => [component, instances.length]),
      [
        ['store', 2],
        ['side', 2],
      ],
    );
    const seen = new Set<string>();
    await until('each pod has a store of its own', async () => {
      seen.add((JSON.parse((await visit(platform, domain)).body) as { beside: string }).beside);
      return seen.size === 2;
    });
    // A component of a pod rolls seat by seat: its ports are taken until the old one is gone.
    assert.equal(
      (await swarm('POST', `${path}/service/pair/component/side/version/1.0/update`)).json.status_code,
      10006,
    );
    await appIs(swarm, path, 'up');
    await swarm('DELETE', path);
  });

  test('images: of the own team, by version, release or none; others are refused with the way out', async () => {
    const path = await create(unique('foreign'), [{ component_name: 'db', image: 'redis', ports: [6379] }]);
    const refused = await swarm('POST', `${path}/start`);
    assert.deepEqual([refused.status, refused.json.status_code], [400, 10013]);
    assert.match(
      refused.json.status_text ?? '',
      /^wrong input: \["services"\]\[0\]\["components"\]\[0\]\["image"\]: .*BERTH_ENGINE=docker/,
    );
    assert.equal(((await swarm('GET', `${path}/status`)).json.data as AppShape).status, 'down');
    const stolen = await create(unique('stolen'), [
      { component_name: 'web', image: image.replace('/main/', '/other/'), ports: [80] },
    ]);
    assert.equal((await swarm('POST', `${stolen}/start`)).json.status_code, 10013);
    const missing = await create(unique('missing'), [{ component_name: 'web', image: `${image}:7.7`, ports: [80] }]);
    assert.match((await swarm('POST', `${missing}/start`)).json.status_text ?? '', /no build of the app/);
    const silent = await create(unique('silent'), [
      {
        component_name: 'store',
        image: `anything.example.org:5000/${image.split('/').slice(1).join('/')}`,
        args: ['store'],
        ports: [6379],
      },
    ]);
    await run(silent);
    for (const app of [path, stolen, missing, silent]) await swarm('DELETE', app);
  });

  test('an update that does not come up leaves what serves, and status and config say so', async () => {
    const broken = await buildImage(platform, unique('broken'), {
      '1.0': files,
      '2.0': { ...files, 'store.js': 'process.exit(1);\n' },
    });
    const path = await create(unique('failing'), [
      { component_name: 'store', image: `${broken}:1.0`, args: ['store'], ports: [6379] },
    ]);
    const before = await run(path);
    const component = `${path}/service/pair/component/store`;
    assert.equal((await swarm('POST', `${component}/version/2.0/update`)).json.status_code, 10006);
    await until('the update has failed', async () => {
      const key = `${path.split('/').at(-1)}-dev`;
      const releases = await platform.akkeris.get<{ status: string }[]>(`/apps/${key}/releases`);
      return releases.at(-1)?.status === 'failed';
    });
    const after = await appIs(swarm, path, 'up');
    assert.deepEqual(
      after.services[0]?.components[0]?.instances.map(({ image: name, image_hash: hash }) => [name, hash]),
      before.services[0]?.components[0]?.instances.map(({ image: name, image_hash: hash }) => [name, hash]),
    );
    assert.match((await swarm('GET', `${path}/config`)).text, /:1\.0"/);
    await swarm('POST', `${path}/stop`);
    await appIs(swarm, path, 'down');
    await run(path);
    await swarm('DELETE', path);
  });

  test('a domain belongs to one app', async () => {
    const domain = `${unique('taken-')}.gigantic.io`;
    const component = { component_name: 'web', image, ports: [80], domains: { [domain]: 80 } };
    const path = await create(unique('first'), [component]);
    const second = { app_name: unique('second'), services: [{ service_name: 's', components: [component] }] };
    const refused = await swarm('POST', `${environment}/app/`, second);
    assert.deepEqual([refused.status, refused.json.status_code], [400, 10013]);
    assert.match(refused.json.status_text ?? '', new RegExp(`^wrong input: .*${domain}`));
    assert.deepEqual(
      ((await swarm('GET', `${environment}/app/`)).json.data as { app: string }[]).filter(
        ({ app }) => app === second.app_name,
      ),
      [],
      'nothing is left of it',
    );
    await swarm('DELETE', path);
    assert.equal((await swarm('POST', `${environment}/app/`, second)).json.status_code, 10003);
    await swarm('DELETE', `${environment}/app/${second.app_name}`);
  });

  test('an app made here is listed, scaled, logged and deleted through the Akkeris dialect', async () => {
    const [name, domain] = [unique('both'), `${unique('both-')}.gigantic.io`];
    const path = await create(name, [
      { component_name: 'store', image, args: ['store'], ports: [6379], domains: { [domain]: 6379 } },
    ]);
    await run(path);
    const key = `${name}-dev`;
    const apps = await platform.akkeris.get<{ name: string }[]>('/apps');
    assert.ok(apps.some((app) => app.name === key));
    const formation = await platform.akkeris.get<{ type: string; quantity: number }[]>(`/apps/${key}/formation`);
    assert.deepEqual(
      formation.map(({ type, quantity }) => [type, quantity]),
      [['pair/store', 1]],
    );
    await platform.akkeris.patch(`/apps/${key}/formation/${encodeURIComponent('pair/store')}`, { quantity: 2 });
    const status = (await swarm('GET', `${path}/service/pair/component/store/status`)).json.data as ComponentShape;
    assert.equal(status.instances.length, 2);
    await appIs(swarm, path, 'up');
    const { logplex_url: url } = await platform.akkeris.post<{ logplex_url: string }>(`/apps/${key}/log-sessions`, {
      lines: 50,
      tail: false,
    });
    assert.equal((await fetch(url)).status, 200);
    await platform.akkeris.delete(`/apps/${key}`);
    assert.equal((await swarm('GET', `${path}/status`)).json.status_code, 10008);
  });

  test('an app made through the Akkeris dialect is listed, shown, scaled, stopped and deleted here', async () => {
    const name = unique('plain');
    await platform.akkeris.post('/apps', { name, space: 'default', org: 'main' });
    const { id } = await platform.akkeris.post<{ id: string }>(`/apps/${name}-default/builds`, {
      url: await archiveUri({
        ...files,
        Procfile: 'web: node store.js\n',
        'store.js': files['store.js'].replace('6379', 'process.env.PORT'),
      }),
      checksum: '',
      repo: '',
      sha: '',
      version: 'first',
    });
    assert.ok(id);
    const path = `/org/main/env/default/app/${name}`;
    await until('it is up', async () => {
      const reply = await swarm('GET', `${path}/status`);
      return (reply.json.data as AppShape).status === 'up';
    });
    const listed = (await swarm('GET', '/org/main/env/default/app/')).json.data as { app: string }[];
    assert.ok(listed.some(({ app }) => app === name));
    const status = (await swarm('GET', `${path}/status`)).json.data as AppShape;
    assert.deepEqual(
      status.services.map((service) => [service.name, service.components.map((component) => component.name)]),
      [[name, ['web']]],
    );
    const config = (await swarm('GET', `${path}/config`)).json.data as { app_name: string };
    assert.equal(config.app_name, name);
    const component = `${path}/service/${name}/component/web`;
    assert.equal((await swarm('POST', `${component}/scaleup/1`)).json.status_code, 10006);
    assert.equal((await appIs(swarm, path, 'up')).services[0]?.components[0]?.instances.length, 2);
    assert.equal((await swarm('POST', `${component}/version/first/update`)).json.status_code, 10006);
    assert.equal((await swarm('POST', `${path}/stop`)).json.status_code, 10005);
    await appIs(swarm, path, 'down');
    assert.equal((await swarm('DELETE', path)).json.status_code, 10007);
  });
});
