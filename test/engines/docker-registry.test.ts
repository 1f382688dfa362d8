// test-timeout: 300
/** Images of a registry that knows who asks: looked up, pulled, pushed and handed on through it, by real daemons. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import { canonicalImage, imageText } from '../../src/core/images/canonical-image.ts';
import { type Images, ImageUnavailable, type RegistryCredentials } from '../../src/core/ports/images.ts';
import { Secret } from '../../src/core/ports/secret.ts';
import type { DockerApi } from '../../src/engines/docker/api/docker-api.ts';
import type { ImageDetails } from '../../src/engines/docker/api/shapes.ts';
import { pullImage } from '../../src/engines/docker/images/pull.ts';
import { push, shareThroughRegistry } from '../../src/engines/docker/images/push.ts';
import { locateImage, resolveImage } from '../../src/engines/docker/images/registry.ts';
import { publicOnly, type RegistryRules } from '../../src/engines/docker/images/registry-rules.ts';
import { hasImage } from '../../src/engines/docker/images/stack-image.ts';
import { Names } from '../../src/engines/docker/names.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { type DockerDaemon, missingForDocker, startDockerDaemon } from '../support/docker-daemon.ts';
import {
  insecureRegistries,
  missingForRegistry,
  startRegistry,
  type TestRegistry,
} from '../support/docker-registry.ts';
import { apiOf, makeImage, publish, registryCredentials } from '../support/small-image.ts';
import { until } from '../support/until.ts';

const missing = missingForDocker() ?? missingForRegistry();
const wrong: RegistryCredentials = { username: 'robot', password: new Secret('not-the-p4ssword') };

const unavailable =
  (code: ImageUnavailable['code'], ...words: readonly (string | RegExp)[]) =>
  (error: unknown) => {
    assert.ok(error instanceof ImageUnavailable, String(error));
    assert.equal(error.code, code, error.message);
    for (const word of words) assert.match(error.message, typeof word === 'string' ? new RegExp(word) : word);
    assert.doesNotMatch(error.message, /s3cret|not-the-p4ssword|robot|manifests/);
    return true;
  };

suite('images of a registry', { skip: missing ?? false }, () => {
  let daemon: DockerDaemon;
  let other: DockerDaemon;
  let guarded: TestRegistry;
  let api: DockerApi;
  let images: Pick<Images, 'locate' | 'resolve'>;
  let rules: RegistryRules;
  let first: string;
  const endings: (() => Promise<void> | void)[] = [];

  before(async () => {
    daemon = await startDockerDaemon(insecureRegistries);
    endings.push(() => daemon.close());
    other = await startDockerDaemon(insecureRegistries);
    endings.push(() => other.close());
    guarded = await startRegistry(daemon.hostAddress);
    endings.push(() => guarded.close());
    api = apiOf(daemon.host);
    endings.push(() => api.close());
    rules = { ...publicOnly, allow: [guarded.host] };
    images = imagesWith(rules);
    first = await publish(api, guarded, 'team/busybee:1', { version: 'one' });
  });
  after(async () => {
    for (const end of endings.reverse()) await end();
  });

  const imagesWith = (registries: RegistryRules): Pick<Images, 'locate' | 'resolve'> => {
    const parts = {
      nodes: async () => [api],
      builder: async () => ({ api, ready: async () => {} }),
      names: new Names('registry'),
      logger: silentLogger,
      registries,
    };
    return {
      locate: (reference, credentials) => locateImage(parts, reference, credentials),
      resolve: (reference, credentials) => resolveImage(parts, reference, credentials),
    };
  };

  test('an image is located by its digest, without being pulled, by whoever may read it', async () => {
    const reference = `${guarded.host}/team/busybee:1`;
    const located = `docker://${guarded.host}/team/busybee@${first}`;
    assert.equal(await images.locate(reference, registryCredentials), located);
    assert.equal(await images.locate(`${guarded.host}/team/busybee@${first}`, registryCredentials), located);
    assert.equal(await hasImage(api, reference), false);
    assert.equal(await hasImage(api, located.slice(9)), false);
    await assert.rejects(
      images.locate(reference, null),
      unavailable('unauthorized', guarded.host, 'team/busybee:1 to strangers', 'berth registries set'),
    );
    await assert.rejects(
      images.locate(reference, wrong),
      unavailable('unauthorized', guarded.host, 'with these credentials'),
    );
    for (const name of ['team/busybee:2', 'team/nobody:1', `team/busybee@sha256:${'0'.repeat(64)}`])
      await assert.rejects(
        images.locate(`${guarded.host}/${name}`, registryCredentials),
        unavailable('not-found', `has no image ${guarded.host}/${name}`),
      );
    await assert.rejects(images.locate(`${guarded.host}/Team/x`, null), unavailable('refused', 'lower-case'));
  });

  test('what an image listens on and runs is read from it; a node that has it gives it to nobody else', async () => {
    const reference = `${guarded.host}/team/busybee:1`;
    const found = await images.resolve(reference, registryCredentials);
    assert.deepEqual([found.ports, found.hasCommand], [[8080], true]);
    assert.equal(found.artifactDigest, `docker://${guarded.host}/team/busybee@${first}`);
    assert.ok(found.sizeBytes > 1_000_000 && found.sizeBytes < 50_000_000, String(found.sizeBytes));
    assert.equal(await hasImage(api, found.artifactDigest.slice(9)), true);
    for (const name of [reference, found.artifactDigest.slice(9)]) {
      await assert.rejects(images.resolve(name, null), unavailable('unauthorized'));
      await assert.rejects(images.locate(name, wrong), unavailable('unauthorized'));
    }
    await publish(api, guarded, 'team/empty:1', { version: 'none', changes: ['EXPOSE 70', 'EXPOSE 7'] });
    const empty = await images.resolve(`${guarded.host}/team/empty:1`, registryCredentials);
    assert.deepEqual([empty.ports, empty.hasCommand], [[7, 70], false]);
  });

  test('a tag that moves is another image from then on', async () => {
    const before = await publish(api, guarded, 'team/moving:now', { version: 'before' });
    const reference = `${guarded.host}/team/moving:now`;
    const located = await images.locate(reference, registryCredentials);
    assert.ok(located.endsWith(`@${before}`));
    const moved = await publish(api, guarded, 'team/moving:now', { version: 'after' });
    assert.notEqual(moved, before);
    assert.ok((await images.locate(reference, registryCredentials)).endsWith(`@${moved}`));
    await pullImage(api, canonicalImage(located.slice(9)), [registryCredentials]);
    assert.equal(await hasImage(api, located.slice(9)), true);
  });

  test('an image for other machines is refused before it is pulled', async () => {
    const name = `${guarded.host}/team/foreign:1`;
    const manifest = await foreignManifest(guarded, 'team/foreign');
    const put = await fetch(`http://${guarded.host}/v2/team/foreign/manifests/1`, {
      method: 'PUT',
      headers: { ...basic(), 'Content-Type': 'application/vnd.docker.distribution.manifest.v2+json' },
      body: manifest,
    });
    assert.equal(put.status, 201);
    await assert.rejects(
      images.locate(name, registryCredentials),
      unavailable('refused', 'not made for the kind of machine'),
    );
  });

  test('several credentials are tried one after another, and the last trouble is told', async () => {
    const image = { ...canonicalImage(`${guarded.host}/team/busybee`), tag: null, digest: first };
    const fresh = apiOf(other.host);
    try {
      await assert.rejects(pullImage(fresh, image, []), unavailable('unauthorized', 'strangers'));
      await assert.rejects(pullImage(fresh, image, [wrong, wrong]), unavailable('unauthorized', 'these credentials'));
      assert.equal(await hasImage(fresh, imageText(image)), false);
      await pullImage(fresh, image, [wrong, registryCredentials]);
      assert.equal(await hasImage(fresh, imageText(image)), true);
      await pullImage(fresh, image, []);
      const gone = { ...image, digest: `sha256:${'0'.repeat(64)}` };
      await assert.rejects(pullImage(fresh, gone, [registryCredentials]), unavailable('not-found'));
      const closed = new AbortController();
      closed.abort(new Error('no longer wanted'));
      await assert.rejects(pullImage(fresh, gone, [], closed.signal), /no longer wanted/);
    } finally {
      fresh.close();
    }
  });

  test('registries at private addresses are for those whom the operator names', async () => {
    const strict = imagesWith(publicOnly);
    const refused = unavailable('refused', 'private address', 'BERTH_DOCKER_REGISTRIES');
    for (const host of [guarded.host, 'localhost:5000', '127.0.0.1:5000', '169.254.169.254', '192.168.0.1:80'])
      await assert.rejects(strict.locate(`${host}/team/unasked:1`, registryCredentials), refused, host);
    await assert.rejects(
      strict.locate('registry.invalid/team/x:1', null),
      unavailable('unreachable', 'has no address'),
    );
    const own = { host: guarded.host, prefix: '', credentials: null };
    await assert.rejects(
      imagesWith({ ...publicOnly, own }).locate(`${guarded.host}/team/busybee:1`, registryCredentials),
      refused,
    );
    for (const open of [
      { ...publicOnly, allowPrivate: true },
      { ...publicOnly, own, allow: [guarded.host] },
    ])
      assert.match(await imagesWith(open).locate(`${guarded.host}/team/busybee:1`, registryCredentials), /^docker:/);
    const elsewhere = { ...publicOnly, allowPrivate: true };
    await assert.rejects(imagesWith(elsewhere).locate(`${guarded.host}/team/asked:1`, registryCredentials));
    // What it logs comes in the order in which it was asked.
    await until('the registry has logged what it was asked', () => guarded.log().includes('team/asked'));
    assert.ok(!guarded.log().includes('team/unasked'));
    await assert.rejects(imagesWith(elsewhere).locate('169.254.169.254/x:1', null), refused);
  });

  test('a registry that is not there is said to be so', async () => {
    const open = imagesWith({ ...publicOnly, allowPrivate: true });
    await assert.rejects(
      open.locate(`${daemon.hostAddress}:1/team/x:1`, null),
      unavailable('unreachable', 'does not answer'),
    );
    const trusting = apiOf(other.host);
    try {
      await guarded.stop();
      await assert.rejects(
        images.locate(`${guarded.host}/team/busybee:1`, null),
        unavailable('unreachable', 'does not answer'),
      );
      const image = {
        ...canonicalImage(`${guarded.host}/team/busybee`),
        tag: null,
        digest: `sha256:${'1'.repeat(64)}`,
      };
      await assert.rejects(pullImage(trusting, image, []), unavailable('unreachable', 'does not answer'));
    } finally {
      trusting.close();
      await guarded.start();
    }
  });

  test('an image is pushed, forgotten and pulled by its digest; and goes from node to node by the same names', async () => {
    await makeImage(api, 'docker.io/library/berth-app:abc', { version: 'shared' });
    const local = 'berth-app:abc';
    const { Id } = await api.call<ImageDetails>('GET', `/images/${local}/json`);
    await assert.rejects(push(api, local, `${guarded.host}/berth/berth-app`, null), unavailable('unauthorized'));
    const digest = await push(api, local, `${guarded.host}/berth/berth-app`, registryCredentials);
    assert.equal(await hasImage(api, local), true);
    assert.equal(await hasImage(api, `${guarded.host}/berth/berth-app:abc`), false);
    await api.call('DELETE', `/images/${local}`, { query: { force: true } });
    const image = { ...canonicalImage(`${guarded.host}/berth/berth-app`), tag: null, digest };
    await pullImage(api, image, [registryCredentials]);
    assert.equal((await api.call<ImageDetails>('GET', `/images/${imageText(image)}/json`)).Id, Id);

    await api.call('POST', `/images/${Id}/tag`, { query: { repo: 'berth-app', tag: 'abc' } });
    const own = { host: guarded.host, prefix: 'berth/deep', credentials: registryCredentials };
    const to = apiOf(other.host);
    try {
      for (const reference of [local, Id]) {
        await shareThroughRegistry(own, api, to, reference);
        assert.equal((await to.call<ImageDetails>('GET', `/images/${reference}/json`)).Id, Id);
        assert.equal(await hasImage(api, reference), true);
      }
      await assert.rejects(shareThroughRegistry({ ...own, credentials: wrong }, api, to, local), {
        kind: 'unavailable',
        message: /BERTH_DOCKER_REGISTRY/,
      });
    } finally {
      to.close();
    }
  });
});

const basic = (): Record<string, string> => ({
  Authorization: `Basic ${Buffer.from(`${registryCredentials.username}:${registryCredentials.password.reveal()}`).toString('base64')}`,
});

/** A manifest whose configuration names another architecture; its parts are in the registry. */
async function foreignManifest(registry: TestRegistry, repository: string): Promise<string> {
  const config = JSON.stringify({
    architecture: 's390x',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [] },
    config: {},
  });
  const digest = `sha256:${createHash('sha256').update(config).digest('hex')}`;
  const begun = await fetch(`http://${registry.host}/v2/${repository}/blobs/uploads/`, {
    method: 'POST',
    headers: basic(),
  });
  const location = new URL(begun.headers.get('location') ?? '', `http://${registry.host}`);
  location.searchParams.set('digest', digest);
  const put = await fetch(location, { method: 'PUT', headers: basic(), body: config });
  assert.equal(put.status, 201);
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    config: { mediaType: 'application/vnd.docker.container.image.v1+json', size: config.length, digest },
    layers: [],
  });
}
