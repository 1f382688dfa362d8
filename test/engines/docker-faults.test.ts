// test-timeout: 600
/** What the Docker engine promises when its daemon or its own process ends, and what it leaves behind. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { LogStore } from '../../src/core/ports/log-store.ts';
import {
  answer,
  appLines,
  ask,
  find,
  specFor,
  until,
  untilLine,
  untilState,
} from '../../src/engines/conformance/harness.ts';
import type { ContainerDetails } from '../../src/engines/docker/api/shapes.ts';
import { createDockerEngine } from '../../src/engines/docker/engine.ts';
import { run } from '../../src/lib/exec.ts';
import { missingForDocker } from '../support/docker-daemon.ts';
import { apiOf } from '../support/small-image.ts';
import { until as untilAtLast } from '../support/until.ts';
import { type DockerHarness, dockerHarness } from './support/docker-harness.ts';

const environment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };

describe('docker engine and what may happen to it', { skip: missingForDocker() ?? false }, () => {
  let harness: DockerHarness;
  before(async () => {
    harness = await dockerHarness();
  });
  after(async () => {
    await harness.close();
  });

  test('output written while no engine was there is in the log, once and in order', async (t) => {
    const script =
      'let n = 0; setInterval(() => { for (let i = 0; i < 50; i++) console.log("line " + n++); if (n === 3000) process.exit(0); }, 50)';
    const spec = specFor(harness, 'say.js', [], { command: ['node', '-e', script], ports: [] });
    await harness.docker.close();
    const first = createDockerEngine(harness.options);
    const silent = createDockerEngine({ ...harness.options, logAppender: null });
    t.after(() => Promise.all([first.close(), silent.close()]));
    await first.start(spec);
    await untilLine(harness, spec, 'line 200');
    await first.close();
    const kept = appLines(harness, spec).length;
    await untilState(silent, spec.id, 'exited');
    await silent.close();
    assert.equal(appLines(harness, spec).length, kept);
    await harness.restart();
    await untilState(harness.engine, spec.id, 'exited');
    await until('the last line', () => appLines(harness, spec).length >= 3_000);
    assert.deepEqual(
      appLines(harness, spec),
      Array.from({ length: 3_000 }, (_, index) => `line ${index}`),
    );
    await harness.engine.remove(spec.id);
  });

  test('an end is told while its output is still on the way, and what a removed one printed still arrives', async (t) => {
    const gate = Promise.withResolvers<void>();
    const { logAppender } = harness.options;
    const append: LogStore['append'] = async (stream, lines) => {
      await gate.promise;
      await logAppender?.append(stream, lines);
    };
    await harness.restart({ logAppender: { append } });
    t.after(async () => {
      gate.resolve();
      await harness.restart();
    });
    const count = 30_000;
    const print = `for (let n = 0; n < ${count}; n++) console.log("line " + n);`;
    const command = (then: string) => ({ command: ['node', '-e', `${print} ${then}`], ports: [] });
    const crashed = specFor(harness, 'say.js', [], command('process.exitCode = 3;'));
    const stopped = specFor(harness, 'say.js', [], command('setInterval(() => {}, 1000);'));
    await Promise.all([harness.engine.start(crashed), harness.engine.start(stopped)]);
    assert.equal((await untilState(harness.engine, crashed.id, 'exited')).exit?.code, 3);
    await untilState(harness.engine, stopped.id, 'running');
    await harness.engine.stop(stopped.id, 0);
    assert.equal((await find(harness.engine, stopped.id))?.exit?.signal, 'SIGKILL');
    await Promise.all([crashed, stopped].map(({ id }) => harness.engine.remove(id)));
    assert.equal(appLines(harness, crashed).length, 0);
    gate.resolve();
    await until('every line', () => appLines(harness, crashed).length >= count);
    assert.ok(appLines(harness, crashed).every((line, index) => line === `line ${index}`));
  });

  test('one that was made and never started, as a lost answer leaves it, is made anew', async (t) => {
    const spec = specFor(harness, 'serve.js');
    const name = `berth-${harness.options.installId}-i-${spec.id}`;
    const api = apiOf(harness.daemon.host);
    t.after(() => api.close());
    const [image] = await api.call<readonly { readonly Id: string }[]>('GET', '/images/json');
    await api.call('POST', '/containers/create', { query: { name }, body: { Image: image?.Id, Cmd: ['none'] } });
    await harness.engine.start(spec);
    await untilState(harness.engine, spec.id, 'running');
    await harness.engine.remove(spec.id);
  });

  test('one whose log is damaged is listed as ended, with what can be read', async (t) => {
    await harness.docker.close();
    const silent = createDockerEngine({ ...harness.options, logAppender: null });
    t.after(() => silent.close());
    const script = 'for (let n = 0; n < 2000; n++) console.log("line " + n); process.exit(7)';
    const spec = specFor(harness, 'say.js', [], { command: ['node', '-e', script], ports: [] });
    await silent.start(spec);
    await untilState(silent, spec.id, 'exited');
    const name = `berth-${harness.options.installId}-i-${spec.id}`;
    const api = apiOf(harness.daemon.host);
    t.after(() => api.close());
    const { Id } = await api.call<ContainerDetails>('GET', `/containers/${name}/json`);
    const path = `${harness.daemon.folder}/data/containers/${Id}/local-logs/container.log`;
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0xff, bytes.length / 2, bytes.length / 2 + 8));
    await harness.restart();
    assert.equal((await untilState(harness.engine, spec.id, 'exited')).exit?.code, 7);
    const said = () => harness.lines(`apps/${spec.appId}`).some(({ text }) => text.includes('could not be read'));
    await until('the word of it', said);
    const lines = appLines(harness, spec);
    assert.ok(lines.length > 0 && lines.length < 2_000, String(lines.length));
    assert.ok(lines.every((line, index) => line === `line ${index}`));
    await harness.engine.remove(spec.id);
  });

  test('the firewall is entered where Docker keeps room for it', async () => {
    const spec = specFor(harness, 'serve.js');
    await harness.engine.start(spec);
    const { address } = await untilState(harness.engine, spec.id, 'running');
    await answer(address);
    const words = ['iptables', '-S', 'DOCKER-USER'];
    assert.match(await onNode(words), new RegExp(`-j BERTH-${harness.options.installId}-fwd`));
    await harness.engine.remove(spec.id);
  });

  test('closed for good it leaves no container, network, rule or route', async () => {
    await harness.docker.close({ everything: true });
    const left = await Promise.all(
      ['containers/json?all=1', 'networks'].map(async (what) => {
        const argv = ['curl', '-sf', '--unix-socket', harness.daemon.host.slice(7), `http://docker/v1.41/${what}`];
        return (await run(argv, { environment, timeoutMs: 10_000 })).stdout;
      }),
    );
    // After a power cut Swarm may keep a network whose container it lost; so this comes before.
    for (const text of left) assert.ok(!text.includes(`berth-${harness.options.installId}`), text.slice(0, 500));
    assert.doesNotMatch(await onNode(['iptables-save']), /BERTH-/);
    const pool = harness.options.addressPool?.split('.').slice(0, 2).join('.') ?? '';
    assert.ok(!(await onNode(['ip', 'route'])).includes(`${pool}.`));
    await harness.restart();
  });

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    test(`after ${signal} to the daemon its instances have ended, and new ones have all they need`, async () => {
      const target = harness.id();
      const port = 6379;
      const links = [{ name: 'my-store', target, port }];
      const old = specFor(harness, 'serve.js', [], { ports: [port] });
      await harness.engine.start(old);
      const { address } = await untilState(harness.engine, old.id, 'running');
      await answer(address);
      let wakes = 0;
      const stop = harness.engine.watch(() => {
        wakes += 1;
      });
      await harness.daemon.stop(signal);
      await assert.rejects(harness.engine.list(), { kind: 'unavailable' });
      const before = wakes;
      await harness.daemon.start();
      await until('the old one to have ended', async () => {
        const instance = await find(harness.engine, old.id).catch(() => undefined);
        return instance?.state === 'exited';
      });
      await until('a wake', () => wakes > before);
      stop();
      const [backend, caller] = [
        specFor(harness, 'serve.js', [], { ports: [port] }),
        specFor(harness, 'say.js', ['here'], { links }),
      ];
      await Promise.all([harness.engine.start(backend), harness.engine.start(caller)]);
      // A daemon whose networks are not settled yet lets a container wait for its own for 20 s.
      await untilAtLast(
        'both run',
        async () => {
          const listed = await harness.engine.list().catch(() => null);
          const [one, other] = [backend, caller].map((spec) => listed?.find(({ id }) => id === spec.id));
          if (listed !== null && one === undefined) await harness.engine.start(backend);
          if (listed !== null && other === undefined) await harness.engine.start(caller);
          return one?.state === 'running' && other?.state === 'running';
        },
        150_000,
      );
      const { address: now } = await untilState(harness.engine, backend.id, 'running');
      assert.ok(now);
      assert.equal(await answer(now), 'hello');
      await harness.engine.routeLinks([{ target, spaceId: caller.spaceId, port, backends: [now] }]);
      await untilState(harness.engine, caller.id, 'running');
      assert.deepEqual(await ask(harness, caller, [`http://my-store:${port}/`]), ['hello']);
      await harness.engine.routeLinks([]);
      await Promise.all([old, backend, caller].map(({ id }) => harness.engine.remove(id)));
    });
  }

  async function onNode(words: readonly string[]): Promise<string> {
    const argv = ['nsenter', `--net=/run/netns/${harness.daemon.namespace}`, '--', ...words];
    return (await run(argv, { environment, timeoutMs: 10_000 })).stdout;
  }
});
