// test-timeout: 300
/** Which images a node keeps, on a real daemon with a registry: what is needed, used or new stays, the rest goes; and the floor of free space. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, suite, test } from 'node:test';
import { extract, pack } from 'tar-stream';
import { type CanonicalImage, canonicalImage, imageText } from '../../src/core/images/canonical-image.ts';
import { BuildFailure } from '../../src/core/ports/builder.ts';
import { ImageUnavailable } from '../../src/core/ports/images.ts';
import type { DockerApi } from '../../src/engines/docker/api/docker-api.ts';
import type { ImageDetails } from '../../src/engines/docker/api/shapes.ts';
import { archiveOf, byTar, packed } from '../../src/engines/docker/images/archive.ts';
import { StepLimits } from '../../src/engines/docker/images/build/step-limits.ts';
import { createDockerImages } from '../../src/engines/docker/images/images.ts';
import { pruneImages } from '../../src/engines/docker/images/prune.ts';
import { pullImage } from '../../src/engines/docker/images/pull.ts';
import { publicOnly } from '../../src/engines/docker/images/registry-rules.ts';
import { pruneBuildCache } from '../../src/engines/docker/images/retention/build-cache.ts';
import type { FoundImage } from '../../src/engines/docker/images/retention/found-images.ts';
import { admitBuild, freeSpace } from '../../src/engines/docker/images/retention/free-space.ts';
import { pullForInstall } from '../../src/engines/docker/images/retention/pulled-mark.ts';
import { freedBytes, unneeded } from '../../src/engines/docker/images/retention/unneeded.ts';
import { hasImage, StackImage } from '../../src/engines/docker/images/stack-image.ts';
import { labels, Names } from '../../src/engines/docker/names.ts';
import { NodeHelper } from '../../src/engines/docker/node-helper.ts';
import { removeContainer } from '../../src/engines/docker/standing-container.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { type DockerDaemon, missingForDocker, startDockerDaemon } from '../support/docker-daemon.ts';
import {
  insecureRegistries,
  missingForRegistry,
  startRegistry,
  type TestRegistry,
} from '../support/docker-registry.ts';
import { apiOf, publish, registryCredentials } from '../support/small-image.ts';
import { command } from '../support/system-command.ts';
import { until } from '../support/until.ts';

const missing = missingForDocker() ?? missingForRegistry();
const minuteMs = 60_000;
const gibibyte = 2 ** 30;
/** What every test image brings beside its base. */
const ownBytes = 1_000_000;
const treeOf = (name: string): string => `sha256:${createHash('sha256').update(name).digest('hex')}`;

suite('retention of images', { skip: missing ?? false }, () => {
  let daemon: DockerDaemon;
  let shop: TestRegistry;
  let api: DockerApi;
  let stack: string;
  const names = new Names('Mine');
  const endings: (() => Promise<void> | void)[] = [];

  before(async () => {
    daemon = await startDockerDaemon(insecureRegistries);
    endings.push(() => daemon.close());
    shop = await startRegistry(daemon.hostAddress);
    endings.push(() => shop.close());
    api = apiOf(daemon.host);
    endings.push(() => api.close());
    await importStack('former');
    stack = await new StackImage(api, process.execPath).ensure();
    await new NodeHelper({ api, names, image: async () => stack }).run('true');
    endings.push(() => removeContainer(api, names.helper));
  });
  after(async () => {
    for (const end of endings.reverse()) await end();
  });

  /** Looks through the images as if so much time had passed. */
  const prune = (keep: readonly string[], laterMs: number, freeSpaceFloorBytes = 0) => {
    const clock = { ...systemClock, now: () => new Date(Date.now() + laterMs) };
    const own = { host: 'registry.test:5000', prefix: 'platform', credentials: null };
    const registries = { ...publicOnly, own };
    const parts = { nodes: async () => [api], names, clock, logger: silentLogger, freeSpaceFloorBytes, registries };
    return pruneImages(parts, new Set(keep));
  };
  const later = 61 * minuteMs;

  const importStack = (tag: string) =>
    api.call('POST', '/images/create', {
      query: { fromSrc: '-', repo: 'berth-stack', tag, changes: `LABEL ${labels.artifact}=` },
      content: { type: 'application/x-tar', bytes: tarOf({ [`of-${tag}`]: '' }) },
    });

  async function make(tag: string, from: string, marks: Readonly<Record<string, string>>): Promise<string> {
    const files = { Dockerfile: `FROM ${from}\nCOPY own /own`, own: tag.padEnd(ownBytes, '.') };
    const query = { t: tag, labels: marks, forcerm: true, q: true };
    await api.call('POST', '/build', { query, content: { type: 'application/x-tar', bytes: tarOf(files) } });
    return (await api.call<ImageDetails>('GET', `/images/${tag}/json`)).Id;
  }
  const mine = { [labels.install]: names.installId };
  const makeTree = (name: string, from: string) =>
    make(`berth-app:${name}-${from.split(':')[1]}`, from, { ...mine, [labels.artifact]: treeOf(name) });
  const makeContainer = async (image: string): Promise<string> =>
    (await api.call<{ Id: string }>('POST', '/containers/create', { body: { Image: image, Cmd: ['x'] } })).Id;
  const gone = async (...references: readonly string[]): Promise<void> => {
    for (const reference of references) assert.equal(await hasImage(api, reference), false, `${reference} is there`);
  };
  const there = async (...references: readonly string[]): Promise<void> => {
    for (const reference of references) assert.equal(await hasImage(api, reference), true, `${reference} is gone`);
  };

  test('trees: what may start, is used or is new stays; a former stack goes with its last image', async () => {
    await makeTree('kept', 'berth-stack:former');
    await makeTree('kept', stack);
    await makeTree('unneeded', stack);
    await makeTree('used', 'berth-stack:former');
    await make('berth-app:other-install', stack, { [labels.install]: 'other', [labels.artifact]: treeOf('other') });
    const container = await makeContainer('berth-app:used-former');
    const current = stack.split(':')[1];
    assert.deepEqual(await prune([treeOf('kept')], 0), { removed: 0, freedBytes: 0 });

    const went = await prune([treeOf('kept')], later);
    assert.equal(went.removed, 2);
    assert.ok(went.freedBytes >= 2 * ownBytes && went.freedBytes < 3 * ownBytes, String(went.freedBytes));
    await gone(`berth-app:unneeded-${current}`, 'berth-app:kept-former');
    await there(`berth-app:kept-${current}`, 'berth-app:used-former', 'berth-stack:former', stack);
    await there('berth-app:other-install');

    await removeContainer(api, container);
    assert.equal((await prune([treeOf('kept')], later)).removed, 2);
    await gone('berth-app:used-former', 'berth-stack:former');
    await there(`berth-app:kept-${current}`, stack);
    assert.equal((await prune([treeOf('kept')], later)).removed, 0);
    assert.equal((await prune([], later)).removed, 1);
    await gone(`berth-app:kept-${current}`);
    await there(stack, 'berth-app:other-install');
  });

  test('images that were built here go by their id; somebody else’s name keeps one', async () => {
    const kept = await make('berth-build:kept', stack, mine);
    await make('berth-build:gone', stack, mine);
    await make('berth-build:named', stack, mine);
    await api.call('POST', '/images/berth-build:named/tag', { query: { repo: 'of-an-operator', tag: '1' } });
    assert.equal((await prune([`image:${kept}`], later)).removed, 1);
    await gone('berth-build:gone');
    await there('berth-build:kept', 'of-an-operator:1');
    await api.call('DELETE', '/images/of-an-operator:1');
    assert.equal((await prune([], later)).removed, 2);
    await gone('berth-build:kept', 'berth-build:named');
  });

  test('an image that says it is another team’s tree takes nothing of it', async () => {
    const current = stack.split(':')[1];
    await makeTree('theirs', stack);
    const forged = await make('berth-build:forged', stack, { ...mine, [labels.artifact]: treeOf('theirs') });
    assert.equal((await prune([treeOf('theirs'), `image:${forged}`], later)).removed, 0);
    await there(`berth-app:theirs-${current}`, 'berth-build:forged');
    assert.equal((await prune([], later)).removed, 2);
  });

  test('a name of a push that was broken off keeps nothing', async () => {
    await make('berth-build:pushed', stack, mine);
    const query = { repo: 'registry.test:5000/platform/berth-image', tag: '1' };
    await api.call('POST', '/images/berth-build:pushed/tag', { query });
    assert.equal((await prune([], later)).removed, 1);
    await gone('berth-build:pushed', 'registry.test:5000/platform/berth-image:1');
  });

  test('images of a registry: those that this install pulled, and no other', async () => {
    const pulled = async (name: string, pull: (image: CanonicalImage) => Promise<void>) => {
      const digest = await publish(api, shop, `team/${name}:1`, { version: name });
      const reference = `${shop.host}/team/${name}@${digest}`;
      await pull(canonicalImage(reference));
      await there(reference);
      return reference;
    };
    const byUs = (image: CanonicalImage) => pullForInstall(placeOf(0), image, [registryCredentials]);
    const kept = await pulled('kept', byUs);
    const unneeded = await pulled('unneeded', byUs);
    const others = await pulled('others', async (image) => {
      await pullImage(api, image, [registryCredentials]);
      await byUs(image);
    });
    assert.deepEqual(await prune([`docker://${kept}`], 0), { removed: 0, freedBytes: 0 });
    const went = await prune([`docker://${kept}`], later);
    assert.equal(went.removed, 1);
    assert.ok(went.freedBytes > 1_000_000, String(went.freedBytes));
    await gone(unneeded);
    await there(kept, others);
    assert.equal((await prune([], later)).removed, 1);
    await gone(kept);
    await there(others);
  });

  test('below the floor of free space all that nobody needs goes at once, and nothing is built', async () => {
    const much = 2 ** 60;
    await makeTree('young', stack);
    await buildWithCache();
    assert.notEqual(await cacheBytes(), 0);
    const young = `berth-app:young-${stack.split(':')[1]}`;
    assert.equal((await prune([], 20 * minuteMs)).removed, 0);
    await there(young);
    assert.notEqual(await cacheBytes(), 0);

    const went = await prune([], 20 * minuteMs, much);
    assert.equal(went.removed, 1);
    await gone(young);
    assert.equal(await cacheBytes(), 0);

    const free = await freeSpace(api, names);
    assert.ok(free !== null && free > 0 && free < much, String(free));
    await admitBuild(api, names, 1);
    await buildWithCache();
    const parts = { nodes: async () => [api], names, clock: systemClock, logger: silentLogger, hostEnvironment: {} };
    const helper = { standing: async () => names.helper, forget: () => {} };
    const stepLimits = new StepLimits({ api, helper });
    const images = createDockerImages({
      ...{ ...parts, freeSpaceFloorBytes: much },
      builder: async () => ({ api, stepLimits, ready: async () => {}, protect: async () => {} }),
    });
    const context = tarOf({ Dockerfile: `FROM ${stack}` });
    const input = {
      buildId: 'refused',
      context,
      dockerfile: 'Dockerfile',
      secrets: {},
      cacheScope: 'app',
      arguments: {},
    };
    const limits = { memoryBytes: 2 ** 28, cpuShares: 256 };
    const around = { limits, credentials: async () => null, log: () => {} };
    const refused = images.build({ ...input, ...around }, new AbortController().signal);
    await assert.rejects(refused, (error) => error instanceof BuildFailure && error.code === 'disk');
    await assert.rejects(refused, /GiB are free and BERTH_DOCKER_FREE_SPACE wants 1073741824$/);
    assert.equal(await cacheBytes(), 0);
    assert.equal(await freeSpace(api, new Names('nobody')), null);
  });

  /** A node that images are pulled to, and what its operator is told. */
  const placeOf = (floorBytes: number, told: string[] = []) => {
    const warn = (_: unknown, message: string): void => void told.push(message);
    return { api, names, floorBytes, ready: async () => {}, logger: { ...silentLogger, warn } };
  };
  const hasNoRoom = (error: unknown): boolean =>
    error instanceof ImageUnavailable &&
    error.code === 'refused' &&
    /no room on the node for the image .*BERTH_DOCKER_FREE_SPACE keeps/.test(error.message);

  test('no image is pulled to a disk that is nearly full, and a pull that fills it is ended', async (t) => {
    const digest = await publish(api, shop, 'team/large:1', { version: 'large' });
    const large = canonicalImage(`${shop.host}/team/large@${digest}`);
    const told: string[] = [];
    await assert.rejects(pullForInstall(placeOf(2 ** 60, told), large, [registryCredentials]), hasNoRoom);
    await gone(imageText(large));
    assert.match(
      told.join(),
      /^an image has no room on its node, of which BERTH_DOCKER_FREE_SPACE keeps 1073741824 GiB/,
    );

    // A registry that says nothing holds the pull for as long as it takes to fill the disk.
    const guests = new Set<Socket>();
    const silent = createServer((guest) => void guests.add(guest.on('error', () => {})));
    t.after(() => {
      for (const guest of guests) guest.destroy();
      silent.close();
    });
    await new Promise<void>((resolve) => silent.listen(0, daemon.hostAddress, resolve));
    const { port } = silent.address() as AddressInfo;
    const free = (await freeSpace(api, names)) ?? 0;
    const stalled = canonicalImage(`${daemon.hostAddress}:${port}/team/large@${digest}`);
    const pulling = pullForInstall(placeOf(free - gibibyte), stalled, [], AbortSignal.timeout(100_000));
    let isOver = false;
    const ended = assert.rejects(pulling, hasNoRoom).finally(() => {
      isOver = true;
    });
    await until('the registry is asked', () => guests.size > 0);
    // However much others free meanwhile, this goes below the floor.
    const filling = join(daemon.folder, 'filling');
    for (let bytes = gibibyte; !isOver && bytes < 64 * gibibyte; bytes += gibibyte) {
      await command('fallocate', '--length', String(bytes), filling);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    rmSync(filling, { force: true });
    await ended;
  });

  test('no image is made of an archive that breaks off', async () => {
    const bytes = archiveOf(byTar(['--directory=/etc', 'hostname', 'is-not-there']));
    const query = { fromSrc: '-', repo: 'berth-stack', tag: 'half' };
    const making = api.call('POST', '/images/create', { query, content: { type: 'application/x-tar', bytes } });
    await assert.rejects(making, /tar cannot put everything together: .*is-not-there/);
    await gone('berth-stack:half');
    const whole = archiveOf(
      packed((tar) => void tar.entry({ name: 'a' }, 'one')),
      byTar(['--directory=/etc', 'hostname']),
    );
    const found: string[] = [];
    for await (const entry of whole.pipe(extract())) {
      found.push(entry.header.name);
      entry.resume();
    }
    assert.deepEqual(found, ['a', 'hostname']);
  });

  test('build cache is kept up to its limit', async () => {
    await buildWithCache();
    const before = await cacheBytes();
    assert.ok(before > ownBytes, String(before));
    assert.equal(await pruneBuildCache(api, 2 ** 40), 0);
    assert.equal(await cacheBytes(), before);
    assert.ok((await pruneBuildCache(api, 1)) > ownBytes);
    assert.ok((await cacheBytes()) < before);
  });

  /** By BuildKit, which keeps what it copied. */
  async function buildWithCache(): Promise<void> {
    const files = {
      Dockerfile: `FROM ${stack}\nCOPY own /own\nRUN true`,
      own: String(Math.random()).padEnd(ownBytes, '.'),
    };
    const content = { type: 'application/x-tar', bytes: tarOf(files) };
    const answer = await api.call<unknown>('POST', '/build', { query: { version: 2, networkmode: 'none' }, content });
    assert.doesNotMatch(JSON.stringify(answer), /errorDetail/);
  }

  async function cacheBytes(): Promise<number> {
    const { BuildCache } = await api.call<{ BuildCache: readonly { Size: number }[] | null }>('GET', '/system/df');
    return (BuildCache ?? []).reduce((sum, { Size }) => sum + Size, 0);
  }
});

test('what is freed by an image are the layers that no other has which is still there', () => {
  const image = (id: string, sizeBytes: number, ...layers: readonly string[]): FoundImage => ({
    ...{ id, sizeBytes, layers, isStack: false, artifact: null, digests: [], references: [id] },
    ...{ at: new Date(0), isUsed: false },
  });
  const stack = image('stack', 100, 's');
  const lower = image('lower', 130, 's', 'l');
  const upper = image('upper', 150, 's', 'l', 'u');
  const found = [stack, lower, upper];
  assert.deepEqual(unneeded(found, new Set(), new Date()), found);
  // The one below was to go before, and was in use after all.
  assert.equal(freedBytes(upper, [stack, lower], found), 20);
  assert.equal(freedBytes(upper, [stack], found), 50);
  assert.equal(freedBytes(upper, [], found), 150);
});

function tarOf(files: Readonly<Record<string, string>>): Readable {
  const tar = pack();
  for (const [name, text] of Object.entries(files)) tar.entry({ name }, text);
  tar.finalize();
  return Readable.from(tar, { objectMode: false });
}
