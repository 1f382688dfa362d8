/** What names of images become in releases, with a registry in memory: when it is asked, as whom, and what an answer changes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Actor } from '../../src/core/access/actor.ts';
import { BerthError } from '../../src/core/errors.ts';
import { canonicalImage, imageDigest } from '../../src/core/images/canonical-image.ts';
import { commandOfImage } from '../../src/core/images/resolve-image.ts';
import { type Images, ImageUnavailable } from '../../src/core/ports/images.ts';
import { Secret } from '../../src/core/ports/secret.ts';
import { type TestCore, testCore } from '../support/core.ts';
import { refusedAs } from '../support/sign-in.ts';
import { until } from '../support/until.ts';

const digestOf = (digit: string): string => `sha256:${digit.repeat(64)}`;
const host = 'reg.example.org';

class MemoryRegistry implements Images {
  readonly tags = new Map<string, string>();
  /** The user that may read; null: everybody. */
  reader: string | null = null;
  readonly asked: string[] = [];
  /** Before each answer. */
  hold: () => Promise<void> = async () => {};

  async locate(reference: string, credentials: Parameters<Images['locate']>[1]): Promise<string> {
    this.asked.push(`${credentials?.username ?? 'nobody'} ${reference}`);
    await this.hold();
    if (this.reader !== null && credentials?.username !== this.reader)
      throw new ImageUnavailable('unauthorized', `not for ${credentials?.username ?? 'strangers'}`);
    const digest = this.tags.get(reference);
    if (digest === undefined) throw new ImageUnavailable('not-found', `no ${reference} there`);
    if (digest === 'down') throw new ImageUnavailable('unreachable', 'the registry sleeps');
    return imageDigest(canonicalImage(reference), digest);
  }
  async resolve(): Promise<never> {
    throw new Error('nothing here builds');
  }
  async build(): Promise<never> {
    throw new Error('nothing here builds');
  }
  async has(): Promise<boolean> {
    return true;
  }
  async prune(): Promise<{ removed: number; freedBytes: number }> {
    return { removed: 0, freedBytes: 0 };
  }
}

interface Scene extends TestCore {
  readonly registry: MemoryRegistry;
  readonly ann: Actor;
  readonly app: string;
  /** What the newest release runs of a process. */
  released(type: string): Promise<{ readonly image: string; readonly artifactDigest: string } | undefined>;
}

/** A stopped app of Ann's whose process `web` runs `reg.example.org/team/bee:1`, which is there. */
async function scene(t: Parameters<typeof testCore>[0]): Promise<Scene> {
  const registry = new MemoryRegistry();
  registry.tags.set(`${host}/team/bee:1`, digestOf('1'));
  const made = await testCore(t, {}, registry);
  const { core, person, createApp } = made;
  const ann = await person('ann');
  const app = await createApp(ann, 'hive', 'ann');
  await core.processes.create(ann, app, { type: 'web', image: `${host}/team/bee:1`, ports: [80] });
  await core.switches.stop(ann, app, null);
  const released: Scene['released'] = async (type) => (await core.releases.target(ann, app))?.processes[type];
  return { ...made, registry, ann, app, released };
}

const own = (digit: string): string => `docker://${host}/team/bee@${digestOf(digit)}`;

test('a tag is looked up when its process starts or is updated, and a release keeps what it meant', async (t) => {
  const { core, registry, ann, app, released } = await scene(t);
  assert.deepEqual(registry.asked, []);
  await core.switches.start(ann, app, null);
  assert.deepEqual(registry.asked, [`nobody ${host}/team/bee:1`]);
  assert.equal((await released('web'))?.artifactDigest, own('1'));

  registry.tags.set(`${host}/team/bee:1`, digestOf('2'));
  await core.switches.start(ann, app, null);
  await core.config.update(ann, app, { COLOUR: 'red' });
  assert.equal((await released('web'))?.artifactDigest, own('1'));
  assert.equal(registry.asked.length, 1);

  await core.images.update(ann, app, 'web', '1', 'one-by-one');
  assert.equal((await released('web'))?.artifactDigest, own('2'));
  registry.tags.set(`${host}/team/bee:2`, digestOf('3'));
  await core.images.update(ann, app, 'web', '2', 'one-by-one');
  assert.deepEqual(
    [(await released('web'))?.artifactDigest, (await released('web'))?.image],
    [own('3'), `${host}/team/bee:2`],
  );
  await core.switches.stop(ann, app, null);
  registry.tags.set(`${host}/team/bee:2`, digestOf('4'));
  await core.switches.start(ann, app, ['web']);
  assert.equal((await released('web'))?.artifactDigest, own('4'));
});

test('a registry is asked as the team, and what it says no with names the process and changes nothing', async (t) => {
  const { core, registry, ann, app, released } = await scene(t);
  registry.reader = 'robot';
  const refused = (kind: 'invalid' | 'unavailable', code: string, words: RegExp) => (error: unknown) => {
    assert.ok(error instanceof BerthError, String(error));
    assert.deepEqual([error.kind, error.details.code, error.details.field], [kind, code, 'image']);
    assert.equal(error.details.noun, 'web');
    assert.match(error.message, words);
    return true;
  };
  await assert.rejects(core.switches.start(ann, app, null), refused('invalid', 'image-unauthorized', /strangers/));
  assert.equal((await core.apps.get(ann, app)).stopped, true);
  assert.equal(await released('web'), undefined);
  const password = new Secret('a token');
  await core.registries.set(ann, 'ann', { host, username: 'reader', password });
  await assert.rejects(core.switches.start(ann, app, null), refused('invalid', 'image-unauthorized', /reader/));
  await core.registries.set(ann, 'ann', { host, username: 'robot', password });
  await core.switches.start(ann, app, null);
  assert.equal((await released('web'))?.artifactDigest, own('1'));

  const update = (tag: string) => core.images.update(ann, app, 'web', tag, 'one-by-one');
  await assert.rejects(update('gone'), refused('invalid', 'image-not-found', /bee:gone/));
  registry.tags.set(`${host}/team/bee:busy`, 'down');
  await assert.rejects(update('busy'), refused('unavailable', 'image-unreachable', /sleeps/));
  assert.equal((await released('web'))?.image, `${host}/team/bee:1`);
});

test('nobody waits for a registry but who asked: the app can be changed meanwhile, also the image that is looked up', async (t) => {
  const { core, registry, ann, app, released } = await scene(t);
  let answer = (): void => {};
  const held = new Promise<void>((resolve) => {
    answer = resolve;
  });
  registry.hold = () => held;
  registry.tags.set(`${host}/team/bee:2`, digestOf('2'));
  const starting = core.switches.start(ann, app, null);
  await until('the registry is asked', () => registry.asked.length === 1);
  await core.config.update(ann, app, { COLOUR: 'blue' });
  await core.processes.create(ann, app, { type: 'late', image: `${host}/team/bee:2` });
  answer();
  await starting;
  assert.equal((await released('web'))?.artifactDigest, own('1'));
  assert.equal((await released('late'))?.artifactDigest, own('2'));
  assert.deepEqual(registry.asked, [`nobody ${host}/team/bee:1`, `nobody ${host}/team/bee:2`]);
});

test('one image of several processes is asked for once; one that nobody starts is not', async (t) => {
  const { core, registry, ann, app } = await scene(t);
  await core.processes.create(ann, app, { type: 'other', image: `${host}/team/bee:1` });
  await core.processes.create(ann, app, { type: 'broken', image: `${host}/team/none:1` });
  await core.switches.start(ann, app, ['web', 'other']);
  assert.deepEqual(registry.asked, [`nobody ${host}/team/bee:1`]);
  await assert.rejects(core.switches.start(ann, app, ['broken', 'web']), refusedAs('invalid', 'image-not-found'));
  await assert.rejects(core.switches.start(ann, app, ['nothing']), refusedAs('not-found'));
});

test('what was built here goes before what a registry has by the same name', async (t) => {
  const { core, db, registry, ann, app, createApp } = await scene(t);
  const source = await createApp(ann, 'shop', 'ann');
  const at = new Date();
  const build = async (version: string, digest: string): Promise<void> => {
    const { id } = await core.builds.create(ann, source, {
      source: { kind: 'archive', url: new Secret('https://example.test/x.tgz'), checksum: null },
      description: { version },
    });
    await db.artifacts.insert({ digest, sizeBytes: 1, processes: { web: '' }, buildpack: 'dockerfile', createdAt: at });
    await db.builds.advance(id, ['queued'], {
      status: 'succeeded',
      artifactDigest: digest,
      finishedAt: at,
      updatedAt: at,
    });
  };
  await build('1.0', `image:${digestOf('a')}`);
  registry.tags.set(`${host}/ann/shop:1.0`, digestOf('1'));
  registry.tags.set(`${host}/ann/shop:2.0`, digestOf('2'));
  const running = async (type: string, image: string) => {
    await core.processes.create(ann, app, { type, image });
    await core.switches.stop(ann, app, [type]);
    await core.switches.start(ann, app, [type]);
    return (await core.releases.target(ann, app))?.processes[type];
  };
  const here = await running('here', `${host}/ann/shop:1.0`);
  assert.deepEqual([here?.artifactDigest, here?.command], [`image:${digestOf('a')}`, { arguments: null }]);
  assert.deepEqual(registry.asked, []);
  const there = await running('there', `${host}/ann/shop:2.0`);
  assert.equal(there?.artifactDigest, `docker://${host}/ann/shop@${digestOf('2')}`);
  await assert.rejects(running('nowhere', `${host}/ann/shop:3.0`), (error: BerthError) => {
    assert.equal(error.details.code, 'image-not-built');
    assert.match(
      error.message,
      /no build of the app shop is called 3\.0.*; no reg\.example\.org\/ann\/shop:3\.0 there/,
    );
    return true;
  });
});

test('arguments go to the entrypoint of a container’s image; an artifact has none', () => {
  const image = { artifactDigest: own('1'), commands: {} };
  const command = (entrypoint: string | null, words: readonly string[] | null, of = image) =>
    commandOfImage({ type: 'web' as never, entrypoint, arguments: words }, of);
  assert.deepEqual(command(null, null), { arguments: null });
  assert.deepEqual(command(null, []), { arguments: null });
  assert.deepEqual(command(null, ['web', '-v']), { arguments: ['web', '-v'] });
  assert.deepEqual(command('/bin/run', null), ['/bin/run']);
  assert.deepEqual(command('/bin/run', ['-v']), ['/bin/run', '-v']);
  const built = { artifactDigest: `image:${digestOf('a')}`, commands: { web: '', clock: 'tick' } };
  assert.deepEqual(command(null, null, built), { arguments: null });
  assert.deepEqual(command(null, ['clock'], built), { arguments: ['clock'] });
  const artifact = { artifactDigest: digestOf('b'), commands: { web: 'node server.js', clock: 'tick' } };
  assert.equal(command(null, null, artifact), 'node server.js');
  assert.equal(command(null, ['clock'], artifact), 'tick');
  assert.deepEqual(command(null, ['clock', 'now'], artifact), ['clock', 'now']);
  assert.throws(() => command(null, null, { artifactDigest: digestOf('b'), commands: {} }), refusedAs('invalid'));
});
