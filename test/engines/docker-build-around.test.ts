// test-timeout: 300
/** What builds reach around them: the network, registries that want to know who asks, and a daemon without BuildKit. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, type TestContext, test } from 'node:test';
import { BuildFailure } from '../../src/core/ports/builder.ts';
import { StepLimits } from '../../src/engines/docker/images/build/step-limits.ts';
import { createDockerImages } from '../../src/engines/docker/images/images.ts';
import { publicOnly } from '../../src/engines/docker/images/registry-rules.ts';
import { transferEnd } from '../../src/engines/docker/images/transfer-progress.ts';
import { Names } from '../../src/engines/docker/names.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { start } from '../../src/lib/exec.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { missingForDocker, startDockerDaemon } from '../support/docker-daemon.ts';
import { insecureRegistries, missingForRegistry, startRegistry } from '../support/docker-registry.ts';
import { apiOf, publish, registryCredentials } from '../support/small-image.ts';
import { until } from '../support/until.ts';
import { type BuildHarness, buildHarness, buildInput, built, contextOf, failed } from './support/build-harness.ts';

suite('around builds of Dockerfiles', { skip: missingForDocker() ?? missingForRegistry() ?? false }, () => {
  let harness: BuildHarness;
  let folder: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'berth-certificates-'));
    writeFileSync(join(folder, 'ca.pem'), 'the certificates of this machine');
    const environment = { NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'), HTTPS_PROXY: 'http://proxy.invalid:3128' };
    harness = await buildHarness(insecureRegistries, environment);
  });
  after(async () => {
    await harness.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const from = (...lines: readonly string[]): string => [`FROM ${harness.base}`, ...lines, ''].join('\n');
  const said = (lines: readonly string[]): string[] => lines.map((line) => line.replace(/^#\d+ /, ''));

  test('steps reach neither the node, nor the machine of the platform, nor other containers on their bridge', async (t) => {
    const host = createServer((_request, response) => response.end('the host'));
    await new Promise<void>((resolve) => host.listen(0, '0.0.0.0', resolve));
    t.after(() => host.close());
    const { port } = host.address() as AddressInfo;
    const serve = `require('node:http').createServer((_, answer) => answer.end('here')).listen(${port}, '0.0.0.0', () => console.log('up'))`;
    const { daemon, api, base, node } = harness;
    const onNode = start([...inNode(), process.execPath, '-e', serve], {
      environment: { PATH: '/usr/bin:/bin' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => onNode.kill());
    if (onNode.stdout !== null) await once(onNode.stdout, 'data');
    const body = { Image: base, Entrypoint: [], Cmd: [node, '-e', serve], HostConfig: { NetworkMode: 'bridge' } };
    const { Id } = await api.call<{ Id: string }>('POST', '/containers/create', { body });
    t.after(() => api.call('DELETE', `/containers/${Id}`, { query: { force: true } }));
    await api.call('POST', `/containers/${Id}/start`);
    const printed = () => api.call<string>('GET', `/containers/${Id}/logs`, { query: { stdout: true } });
    await until('the neighbour listens', async () => String(await printed()).includes('up'), 60_000);
    const { NetworkSettings } = await api.call<{ NetworkSettings: { IPAddress: string; Gateway: string } }>(
      'GET',
      `/containers/${Id}/json`,
    );
    const { IPAddress: neighbour, Gateway: gateway } = NetworkSettings;
    const targets = [gateway, daemon.address, daemon.hostAddress, neighbour];
    const dockerfile = (patience: string): string =>
      from(
        `RUN for at in ${targets.join(' ')}; do echo "$at $(curl -s ${patience} http://$at:${port}/ || echo no)"; done`,
      );
    const kept = await harness.build({ Dockerfile: dockerfile('-m 2') });
    built(kept.outcome);
    for (const at of targets) assert.ok(said(kept.lines).includes(`${at} no`), kept.lines.join('\n'));
    // Without the firewall all but the last hop of this test's own wire would answer: it is the firewall that keeps them apart.
    await harness.firewall.lower();
    const open = await buildOpen(dockerfile('-m 5 --retry 9 --retry-delay 1 --retry-connrefused'));
    for (const at of [gateway, daemon.address, neighbour]) {
      assert.ok(said(open).includes(`${at} here`), open.join('\n'));
    }
  });

  /** Past the port, which would put the firewall in force first. */
  async function buildOpen(dockerfile: string): Promise<string[]> {
    const { buildWithBuildKit } = await import('../../src/engines/docker/images/build/buildkit-build.ts');
    const lines: string[] = [];
    const input = harness.input({ Dockerfile: dockerfile }, { log: (line) => void lines.push(line) });
    const query = { dockerfile: 'Dockerfile' };
    const ownBases = { ...publicOnly, allow: ['127.0.0.1:5000'] };
    const outcome = await buildWithBuildKit(harness.api, { input, query }, new AbortController().signal, ownBases);
    assert.ok('imageId' in outcome, JSON.stringify(outcome));
    return lines;
  }

  /** A port of the node's loopback that leads to a place which the node reaches. */
  async function forwarded(t: TestContext, place: string): Promise<string> {
    const [host, port] = place.split(':');
    const script = `const net = require('node:net');
      net.createServer((from) => {
        const to = net.connect(${port}, '${host}');
        for (const each of [from, to]) each.on('error', () => {});
        from.pipe(to).pipe(from);
      }).listen(${port}, '127.0.0.1', () => console.log('up'));`;
    const child = start([...inNode(), process.execPath, '-e', script], {
      environment: { PATH: '/usr/bin:/bin' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => child.kill());
    if (child.stdout !== null) await once(child.stdout, 'data');
    return `127.0.0.1:${port}`;
  }

  /** A server on the loopback of the node; gives its port. */
  async function inNodeServing(t: TestContext, text: string): Promise<number> {
    const script = `const server = require('node:http').createServer((_, answer) => answer.end('${text}'));
server.listen(0, '127.0.0.1', () => console.log(server.address().port))`;
    const child = start([...inNode(), process.execPath, '-e', script], {
      environment: { PATH: '/usr/bin:/bin' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => child.kill());
    assert.ok(child.stdout !== null);
    return Number(String((await once(child.stdout, 'data'))[0]));
  }

  const inNode = (): string[] => ['nsenter', `--net=/run/netns/${harness.daemon.namespace}`, '--'];

  test('no step gets the node’s own network or more rights', async () => {
    for (const flag of ['--network=host', '--security=insecure']) {
      const { outcome } = await harness.build({ Dockerfile: from(`RUN ${flag} true`) });
      failed(outcome);
    }
  });

  test('no image comes of what the daemon would fetch from the node’s own network', async (t) => {
    const refused = /ADD takes files of the source/;
    const port = await inNodeServing(t, 'of-the-node');
    const add = `ADD http://127.0.0.1:${port}/ /fetched`;
    assert.match(failed((await harness.build({ Dockerfile: from(add) })).outcome), refused);
    // Images bring such steps too.
    const repo = '127.0.0.1:5000/trigger';
    const { Id } = await harness.api.call<{ Id: string }>('POST', '/containers/create', {
      body: { Image: harness.base, Cmd: ['true'] },
    });
    t.after(() => harness.api.call('DELETE', `/containers/${Id}`));
    const query = { container: Id, repo, tag: '1', changes: `ONBUILD ${add}` };
    await harness.api.call('POST', '/commit', { query });
    const headers = { 'X-Registry-Auth': 'e30=' };
    await transferEnd(await harness.api.stream('POST', `/images/${repo}/push`, { query: { tag: '1' }, headers }));
    assert.match(failed((await harness.build({ Dockerfile: `FROM ${repo}:1\nRUN cat /fetched\n` })).outcome), refused);
  });

  test('no image is made a frontend of', async () => {
    const foreign = { Dockerfile: `# syntax=${harness.base}\nFROM ${harness.base}\n` };
    const { outcome, lines } = await harness.build(foreign);
    assert.match(failed(outcome), /the only syntax/);
    assert.deepEqual(lines, []);
  });

  test('base images come from registries at private addresses only where the operator names them', async () => {
    const strict = harness.withRegistries({ ...publicOnly, allow: ['127.0.0.1:5000'] });
    const lines: string[] = [];
    const build = (dockerfile: string) => {
      const input = harness.input({ Dockerfile: dockerfile }, { log: (line) => lines.push(line) });
      return strict.build(input, new AbortController().signal);
    };
    built(await build(from('RUN true')));
    for (const dockerfile of [
      'ARG HOST=169.254.169.254\nFROM $HOST/a\nRUN true\n',
      'FROM 127.0.0.1:1/a:1\nRUN true\n',
      from('COPY --from=127.0.0.1:1/a:1 / /'),
    ])
      assert.match(failed(await build(dockerfile)), /at a loopback or private address/, dockerfile);
    assert.doesNotMatch(lines.join('\n'), /refused|dial/);
  });

  test('the machine’s proxies and certificates reach steps, and leave no trace in the image', async () => {
    const dockerfile = from(
      'ARG NODE_EXTRA_CA_CERTS',
      'RUN --mount=type=secret,id=ca-certificates cat /run/secrets/ca-certificates; echo; echo "$HTTPS_PROXY"; basename "$NODE_EXTRA_CA_CERTS"',
    );
    const { outcome, lines } = await harness.build({ Dockerfile: dockerfile });
    const { artifactDigest } = built(outcome);
    for (const line of ['the certificates of this machine', 'http://proxy.invalid:3128', 'ca.pem']) {
      assert.ok(said(lines).includes(line), lines.join('\n'));
    }
    const found = await harness.api.call<object>('GET', `/images/${artifactDigest.slice('image:'.length)}/json`);
    assert.ok(!JSON.stringify(found).includes('proxy.invalid'));
  });

  test('a base image of a private registry is pulled with what the team signs in with', async (t) => {
    const there = await startRegistry(harness.daemon.hostAddress);
    t.after(() => there.close());
    // BuildKit speaks plain HTTP with nobody but the loopback and hosts that daemon.json names one by one.
    const registry = { ...there, host: await forwarded(t, there.host) };
    await publish(harness.api, registry, 'team/base:1', { version: 'one' });
    const files = { Dockerfile: `FROM ${registry.host}/team/base:1\nCOPY Dockerfile /\n` };
    failed((await harness.build(files)).outcome);
    const asked: string[] = [];
    const credentials = async (host: string) => {
      asked.push(host);
      return registryCredentials;
    };
    const { outcome, lines } = await harness.build(files, { credentials });
    assert.deepEqual(built(outcome).ports, [8080]);
    assert.ok(asked.every((host) => host === registry.host) && asked.length > 0);
    assert.ok(!lines.join('\n').includes(registryCredentials.password.reveal()));
  });
});

test('nothing is built where BuildKit is turned off: nobody else asks what is fetched', async (t) => {
  const missing = missingForDocker();
  if (missing !== null) return t.skip(missing);
  const daemon = await startDockerDaemon({ features: { buildkit: false } });
  const api = apiOf(daemon.host);
  t.after(async () => {
    api.close();
    await daemon.close();
  });
  const helper = { standing: () => Promise.reject(new Error('not asked')), forget: () => {} };
  const images = createDockerImages({
    nodes: async () => [api],
    builder: async () => ({
      ...{ api, stepLimits: new StepLimits({ api, helper }), ready: async () => {}, protect: async () => {} },
    }),
    ...{ names: new Names('classic'), clock: systemClock, logger: silentLogger, hostEnvironment: {} },
  });
  const context = contextOf({ Dockerfile: 'FROM scratch\nADD http://169.254.169.254/ /x\n' });
  const building = images.build(buildInput({ context }), new AbortController().signal);
  await assert.rejects(building, (error) => error instanceof BuildFailure && error.code === 'unsupported');
  await assert.rejects(building, /BuildKit turned off, .*"features": \{"buildkit": true\}/);
  assert.equal(context.destroyed, true);
});
