/** Sources that become images: what the builder asks the engine for, and what it makes of the answer. */
import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { BuildFailure } from '../../src/core/ports/builder.ts';
import {
  type ImageBuildInput,
  type ImageDescription,
  type Images,
  ImageUnavailable,
  type RegistryCredentials,
} from '../../src/core/ports/images.ts';
import { Secret } from '../../src/core/ports/secret.ts';
import { createWorkbench, never, tarOfFiles } from './workbench.ts';

const digest = `image:sha256:${'a'.repeat(64)}`;
const image: ImageDescription = { artifactDigest: digest, sizeBytes: 5 * 2 ** 20, ports: [80], hasCommand: true };

/** An engine of which only some verbs are asked. */
const engine = (verbs: Partial<Images>): Images => ({
  locate: () => Promise.reject(new Error('not asked for')),
  resolve: () => Promise.reject(new Error('not asked for')),
  build: () => Promise.reject(new Error('not asked for')),
  has: async () => false,
  prune: async () => ({ removed: 0, freedBytes: 0 }),
  ...verbs,
});
const failsWith = (code: BuildFailure['code'], words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof BuildFailure, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, words);
  return true;
};
/** Until its signal says otherwise. */
const untilAborted = async (signal: AbortSignal): Promise<never> => {
  await delay(60_000, undefined, { signal }).catch(() => {});
  throw signal.reason;
};

test('a Dockerfile is built with the config as secrets and never as arguments', async (t) => {
  const asked: ImageBuildInput[] = [];
  let context = '';
  const images = engine({
    async build(input) {
      asked.push(input);
      context = await text(input.context);
      input.log('#1 [1/1] FROM base');
      return image;
    },
  });
  const signIn: RegistryCredentials = { username: 'robot', password: new Secret('password') };
  const credentials = async (appId: string, host: string) => (host === `registry.test/${appId}` ? signIn : null);
  const bench = await createWorkbench(t, {}, null, { images, credentials });
  const files = { Dockerfile: 'FROM base', 'package.json': '{"name":"app"}', Procfile: 'worker: node work.js' };
  const input = bench.input(await tarOfFiles(files), { env: { TOKEN: 'value-of-token' } });
  const output = await bench.builder.build(input, never);
  assert.deepEqual(output, {
    ...{ artifactDigest: digest, sizeBytes: image.sizeBytes, buildpack: 'dockerfile', reused: false },
    processes: { web: '', worker: 'node work.js' },
  });
  assert.equal(asked.length, 1);
  for (const { secrets, arguments: given, buildId, dockerfile, credentials: signsIn } of asked) {
    assert.equal(secrets.TOKEN?.reveal(), 'value-of-token');
    assert.deepEqual(given, {});
    assert.deepEqual([buildId, dockerfile], [input.buildId, 'Dockerfile']);
    assert.equal(await signsIn(`registry.test/${input.appId}`), signIn);
  }
  assert.ok(context.includes('FROM base') && !context.includes('value-of-token'));
  assert.ok((await bench.log(input)).some((line) => line.endsWith('#1 [1/1] FROM base')));
});

test('BUILDPACK_URL, or an engine without images, leaves a Dockerfile alone', async (t) => {
  const bench = await createWorkbench(t);
  const input = bench.input(await tarOfFiles({ Dockerfile: 'FROM base', 'index.html': 'hello' }));
  const output = await bench.builder.build(input, never);
  assert.equal(output.buildpack, 'static');
  assert.ok((await bench.log(input)).some((line) => /Dockerfile is not used.*BERTH_ENGINE=docker/.test(line)));
  const withImages = await createWorkbench(t, {}, null, { images: engine({}) });
  const other = withImages.input(await tarOfFiles({ Dockerfile: 'FROM base', 'index.html': 'hello' }));
  const ofOtherPool = await withImages.builder.build({ ...other, runsImages: false }, never);
  assert.equal(ofOtherPool.buildpack, 'static');
  const chosen = withImages.input(await tarOfFiles({ Dockerfile: 'FROM base' }), {
    env: { BUILDPACK_URL: 'nonsense' },
  });
  await assert.rejects(withImages.builder.build(chosen, never), failsWith('source', /BUILDPACK_URL|buildpack/i));
});

test('an image without a command needs a Procfile, and says so', async (t) => {
  const bench = await createWorkbench(t, {}, null, {
    images: engine({ build: async () => ({ ...image, hasCommand: false }) }),
  });
  const input = bench.input(await tarOfFiles({ Dockerfile: 'FROM base' }));
  assert.deepEqual((await bench.builder.build(input, never)).processes, {});
  assert.ok((await bench.log(input)).some((line) => /Nothing says how to start the app/.test(line)));
});

test('what is wrong with a Dockerfile, and every limit, is the build’s failure', async (t) => {
  const fails = async (images: Images, limits = {}) => {
    const bench = await createWorkbench(t, limits, null, { images });
    return bench.builder.build(bench.input(await tarOfFiles({ Dockerfile: 'FROM base' })), never);
  };
  const bench = await createWorkbench(t, {}, null, { images: engine({}) });
  for (const [line, words] of [
    ['ADD http://169.254.169.254/ /x', /^ADD takes files/],
    ['# syntax=evil/frontend\n', /^the only syntax/],
  ] as const) {
    const input = bench.input(await tarOfFiles({ Dockerfile: `${line}\nFROM base\n${line}` }));
    await assert.rejects(bench.builder.build(input, never), failsWith('source', words));
  }
  const says = (failed: string) => engine({ build: async () => ({ failed }) });
  await assert.rejects(fails(says('unknown instruction: FORM')), failsWith('compile', /FORM/));
  await assert.rejects(fails(says('RUN make: exit code: 137')), failsWith('memory', /1 GiB of memory/));
  await assert.rejects(fails(says('write /x: no space left on device')), failsWith('disk', /no space left/));
  const slow = engine({ build: (_input, signal) => untilAborted(signal) });
  await assert.rejects(fails(slow, { buildMs: 200 }), failsWith('timeout', /longer than/));
  const loud = engine({
    build(input, signal) {
      for (let line = 0; line < 200; line += 1) input.log('x'.repeat(100));
      return untilAborted(signal);
    },
  });
  await assert.rejects(fails(loud, { outputBytes: 10_000 }), failsWith('output', /more than 9.8 KiB/));
  const broken = engine({ build: () => Promise.reject(new Error('the daemon is away')) });
  await assert.rejects(fails(broken), /the daemon is away/);
});

test('cancelling reaches the engine', async (t) => {
  const abort = new AbortController();
  const images = engine({
    build(_input, signal) {
      abort.abort(new Error('cancelled'));
      return untilAborted(signal);
    },
  });
  const bench = await createWorkbench(t, {}, null, { images });
  const input = bench.input(await tarOfFiles({ Dockerfile: 'FROM base' }));
  await assert.rejects(bench.builder.build(input, abort.signal), /cancelled/);
});

test('a source that is an image is taken by its digest, with its own credentials or the team’s', async (t) => {
  const asked: (readonly [string, string | null])[] = [];
  const artifactDigest = `docker://registry.test/team/app@sha256:${'b'.repeat(64)}`;
  const images = engine({
    async resolve(reference, credentials) {
      asked.push([reference, credentials === null ? null : `${credentials.username}:${credentials.password.reveal()}`]);
      if (reference.endsWith(':none')) throw new ImageUnavailable('not-found', 'there is no such image');
      return { ...image, artifactDigest };
    },
  });
  const credentials = async () => ({ username: 'team', password: new Secret('of-team') });
  const bench = await createWorkbench(t, {}, null, { images, credentials });
  const build = (reference: string) => {
    const source = { kind: 'image', reference: new Secret(reference) } as const;
    return bench.builder.build({ ...bench.input(Buffer.alloc(0)), source }, never);
  };
  const output = await build('registry.test/team/app:1');
  assert.deepEqual(output, {
    ...{ artifactDigest, sizeBytes: image.sizeBytes, buildpack: 'image', reused: false },
    processes: { web: '' },
  });
  await build('robot:p%40ss@registry.test/team/app:1');
  await build('nginx:1');
  assert.deepEqual(asked, [
    ['registry.test/team/app:1', 'team:of-team'],
    ['registry.test/team/app:1', 'robot:p@ss'],
    ['docker.io/library/nginx:1', 'team:of-team'],
  ]);
  await assert.rejects(build('registry.test/team/app:none'), failsWith('source', /no such image/));
  await assert.rejects(build('registry.test/Team/app:1'), failsWith('source', /lower-case/));
  const without = await createWorkbench(t);
  const source = { kind: 'image', reference: new Secret('nginx:1') } as const;
  await assert.rejects(
    without.builder.build({ ...without.input(Buffer.alloc(0)), source }, never),
    failsWith('unsupported', /BERTH_ENGINE=docker/),
  );
});

test('images are kept by the engine that has them, and pruned there alone', async (t) => {
  const images = engine({
    has: async (each) => each === digest,
    prune: () => assert.fail('retention asks for it itself'),
  });
  const bench = await createWorkbench(t, {}, null, { images });
  assert.equal(await bench.builder.hasArtifact(digest), true);
  assert.equal(await bench.builder.hasArtifact(`image:sha256:${'c'.repeat(64)}`), false);
  assert.equal(await bench.builder.hasArtifact(`sha256:${'a'.repeat(64)}`), false);
  assert.deepEqual(await bench.builder.prune(new Set([digest])), { removed: 0, freedBytes: 0 });
  const without = await createWorkbench(t);
  assert.equal(await without.builder.hasArtifact(digest), false);
});
