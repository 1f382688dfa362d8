import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { run, start } from '../../src/lib/exec.ts';
import { claimBlock } from '../support/address-block.ts';
import { get, send } from './support/http-requests.ts';
import { route, routeBackend, startBackend, startRouter, target, until } from './support/router-harness.ts';

const environment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
const missing = process.getuid?.() === 0 ? false : 'a machine of its own needs root';

async function command(...argv: string[]): Promise<void> {
  const { code, stderr } = await run(argv, { environment, timeoutMs: 20_000 });
  if (code !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`);
}

/** A machine beside this one with a server that says `far`, and holds back its answer to /slow; `cut` is its cable's end. */
async function otherMachine(t: TestContext) {
  const name = `br${randomBytes(4).toString('hex')}`;
  const block = await claimBlock(208, 240, 24);
  t.after(() => block.release());
  const wire = block.prefix;
  await command('ip', 'netns', 'add', name);
  t.after(() => command('ip', 'netns', 'delete', name));
  await command('ip', 'link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
  await command('ip', 'address', 'add', `${wire}.1/24`, 'dev', name);
  await command('ip', 'link', 'set', name, 'up');
  await command('ip', '-n', name, 'address', 'add', `${wire}.2/24`, 'dev', 'eth0');
  await command('ip', '-n', name, 'link', 'set', 'eth0', 'up');
  const program = `
    const server = require('node:http').createServer((asked, answer) => {
      if (asked.url === '/slow') setTimeout(() => answer.end('far, late'), 4_000);
      else answer.end('far');
    });
    server.keepAliveTimeout = 60_000;
    server.listen(8080, '0.0.0.0', () => console.log('up'));`;
  const argv = ['nsenter', `--net=/run/netns/${name}`, '--', process.execPath, '-e', program];
  const child = start(argv, { environment, stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  if (child.stdout !== null) await once(child.stdout, 'data');
  // The host's own side stays up, so that nothing here notices: packets get no answer.
  const cut = () => command('ip', '-n', name, 'address', 'flush', 'dev', 'eth0');
  const mend = () => command('ip', '-n', name, 'address', 'add', `${wire}.2/24`, 'dev', 'eth0');
  return { host: `${wire}.2`, cut, mend };
}

test('requests to a machine that is gone are answered by another within seconds', { skip: missing }, async (t) => {
  const far = await otherMachine(t);
  const near = await startBackend(t, (_incoming, response) => response.end('near'));
  const { router, port } = await startRouter(t);
  const targets = [{ id: 'far', host: far.host, port: 8080, processType: 'web' }, target('near', near.port)];
  await router.apply({
    version: 1,
    routes: [route('a.test', 'a')],
    backends: [routeBackend('a', targets)],
    certificates: [],
  });
  const seen = new Set<string>();
  await until(async () => seen.add((await get(port, 'a.test', '/')).body).size === 2);

  await far.cut();
  const asked = performance.now();
  const answers = await Promise.all(Array.from({ length: 8 }, () => get(port, 'a.test', '/')));
  assert.deepEqual([...new Set(answers.map(({ status, body }) => `${status} ${body}`))], ['200 near']);
  assert.ok(performance.now() - asked < 30_000, 'well before the time limit of an answer');
});

test('an app that is only slow is waited for', { skip: missing }, async (t) => {
  const far = await otherMachine(t);
  const { router, port } = await startRouter(t);
  const targets = [{ id: 'far', host: far.host, port: 8080, processType: 'web' }];
  await router.apply({
    version: 1,
    routes: [route('a.test', 'a')],
    backends: [routeBackend('a', targets)],
    certificates: [],
  });
  assert.equal((await send(port, 'a.test', '/slow')).body, 'far, late');
});

test('what cannot be sent twice is refused within seconds when its machine is gone', { skip: missing }, async (t) => {
  const far = await otherMachine(t);
  const near = await startBackend(t, (_incoming, response) => response.end('near'));
  const { router, port } = await startRouter(t);
  const table = (targets: Parameters<typeof routeBackend>[1]) => ({
    routes: [route('a.test', 'a')],
    backends: [routeBackend('a', targets)],
    certificates: [],
  });
  const lost = { id: 'far', host: far.host, port: 8080, processType: 'web' };
  await router.apply({ version: 1, ...table([lost]) });
  const begun = send(port, 'a.test', '/slow', { method: 'POST', body: 'once' });
  await until(async () => (await router.counters())[0]?.inFlight === 1);
  await far.cut();
  await router.apply({ version: 2, ...table([lost, target('near', near.port)]) });
  assert.equal((await begun).status, 503);
});

test('while all of an app is out of reach requests wait for the way back, for some seconds', {
  skip: missing,
}, async (t) => {
  const far = await otherMachine(t);
  const { router, port } = await startRouter(t);
  const targets = [{ id: 'far', host: far.host, port: 8080, processType: 'web' }];
  await router.apply({
    version: 1,
    routes: [route('a.test', 'a')],
    backends: [routeBackend('a', targets)],
    certificates: [],
  });
  assert.equal((await get(port, 'a.test', '/')).body, 'far');
  await far.cut();
  const asked = performance.now();
  const inVain = await get(port, 'a.test', '/');
  const waited = performance.now() - asked;
  assert.equal(inVain.status, 503);
  assert.ok(waited > 7_000 && waited < 20_000, `${waited} ms`);
  const answer = get(port, 'a.test', '/');
  // By now the kernel knows that nobody is there, and says so at once.
  await until(async () => (await router.counters())[0]?.inFlight === 1);
  await far.mend();
  assert.deepEqual([(await answer).status, (await answer).body], [200, 'far']);
});
