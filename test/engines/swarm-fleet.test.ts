// test-timeout: 900
/** What the Docker engine promises over three machines: where instances are, what reaches what, and what happens when a machine is lost. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { drain } from '../../src/engines/conformance/harness.ts';
import { missingForDocker } from '../support/swarm.ts';
import { command } from '../support/system-command.ts';
import { until } from '../support/until.ts';
import { hangTests, loneTests } from './support/swarm-hangs.ts';
import { answerOf, find, type SwarmHarness, swarmHarness, untilReady, untilRunning } from './support/swarm-harness.ts';
import { routeTests } from './support/swarm-routes.ts';
import { everyone, patienceMs, swarmScene } from './support/swarm-scene.ts';
import { volumeTests } from './support/swarm-volumes.ts';
import { wayTests } from './support/swarm-ways.ts';

const lossMs = 15_000;
const bootMs = 7_000;
/** Two elections, and the calls of a node that leaves. */
const leaveMs = 150_000;

describe('docker engine over several machines', { skip: missingForDocker() ?? false }, () => {
  let harness: SwarmHarness;
  before(async () => {
    harness = await swarmHarness(3);
  });
  after(async () => {
    await harness.close();
  });

  const { useAll, machine, api, containersOn, info, swarmNodes, managers, demoteFirst, ...on } = swarmScene(
    () => harness,
  );
  const { statesOf, startOn, startMany, nodesOf, isUnlisted, removeAll, ask } = on;

  let isOver = false;
  // What a test that failed left is not the next one's fault.
  afterEach(async () => {
    if (isOver) return;
    await useAll();
    for (const { id } of await harness.engine.list()) await harness.engine.remove(id);
  });

  loneTests(() => harness);

  test('a node that is alone and lost its power has its gateways again for what is started then', async () => {
    await harness.engine.useNodes([harness.row(1)]);
    await untilReady(harness.engine, ['node-1']);
    const [first] = await startMany(1);
    await machine(1).powerOff();
    const begun = performance.now();
    await until('it was away for as long as a machine takes to come up', () => performance.now() - begun > bootMs);
    await machine(1).start();
    await until('its end', async () => (await find(harness.engine, first?.id ?? ''))?.state === 'exited', patienceMs);
    const [second] = await startMany(1);
    const instance = await untilRunning(harness.engine, second);
    assert.equal(await until('an answer', () => answerOf(instance), patienceMs), 'hello');
  });

  test('an app is spread over all nodes, and each instance answers at its address', async () => {
    const specs = await startOn(everyone);
    for (const spec of specs.values()) {
      const instance = await untilRunning(harness.engine, spec);
      assert.equal(await until('an answer', () => answerOf(instance), patienceMs), 'hello');
    }
    await removeAll([...specs.values()]);
  });

  test('there are three managers', async () => {
    await until('three managers', async () => (await managers()).length === 3, patienceMs);
  });

  test('exec, output, statistics and signals come from the node that has the instance', async () => {
    const specs = await startOn(everyone);
    for (const spec of specs.values()) {
      const session = await harness.engine.exec(spec.id, { command: ['node', '-e', 'console.log(process.env.PORT)'] });
      assert.equal(String(await drain(session.stdout)).trim(), '8080');
      assert.equal((await session.exit).code, 0);
    }
    const stats = await harness.engine.stats([...specs.values()].map(({ id }) => id));
    assert.ok(stats.length === 3 && stats.every(({ memory }) => memory.usageBytes > 0));
    const [first] = specs.values();
    await until(
      'output of all three',
      () => harness.lines(first?.appId ?? '').filter((text) => text === 'listening on 8080').length === 3,
    );
    const far = specs.get('node-3')?.id ?? '';
    await harness.engine.signal(far, 'SIGKILL');
    await until('its end', async () => (await find(harness.engine, far))?.exit?.signal === 'SIGKILL');
    await removeAll([...specs.values()]);
  });

  test('links and addresses of a space lead from any node to any other, and to no other space', async () => {
    const target = 'store';
    const backends = await startOn(everyone);
    const running = await Promise.all([...backends.values()].map((spec) => untilRunning(harness.engine, spec)));
    const links = [{ name: 'store', target, port: 6379 }];
    const callers = await startOn(everyone, { processType: 'caller', links });
    const stranger = harness.spec({ spaceId: 'elsewhere' });
    await harness.engine.start(stranger);
    await untilRunning(harness.engine, stranger);
    const addresses = running.flatMap(({ address }) => address ?? []);
    await harness.engine.routeLinks([{ target, spaceId: 'fleet', port: 6379, backends: addresses }]);
    const words = ['http://store:6379/', ...addresses.map(({ host, port }) => `http://${host}:${port}/`)];
    for (const { id } of callers.values())
      assert.deepEqual(
        await ask(id, words),
        words.map(() => 'hello'),
      );
    assert.deepEqual(await ask(stranger.id, words.slice(1)), ['shut', 'shut', 'shut']);
    const last = addresses.slice(-1);
    await harness.engine.routeLinks([{ target, spaceId: 'fleet', port: 6379, backends: last }]);
    for (const { id } of callers.values()) assert.deepEqual(await ask(id, ['http://store:6379/']), ['hello']);
    await harness.engine.routeLinks([]);
    for (const { id } of callers.values()) assert.deepEqual(await ask(id, ['http://store:6379/']), ['refused']);
    await removeAll([...backends.values(), ...callers.values(), stranger]);
  });

  test('an instance reaches neither a node nor the platform', async () => {
    const specs = await startOn(everyone);
    const closed = [...harness.machines.map(({ address }) => `${address}:2376`), `${harness.hostAddress}:22`];
    for (const { id } of specs.values()) {
      const session = await harness.engine.exec(id, { command: ['node', 'reach.js', ...closed] });
      const said = String(await drain(session.stdout))
        .trim()
        .split('\n');
      assert.deepEqual(said, [...closed.map((each) => `${each} shut`), 'done']);
    }
    await removeAll([...specs.values()]);
  });

  test('members of a pod share a node', async () => {
    const pod = 'pod-1';
    const one = harness.spec({ pod, ports: [7001] });
    const two = harness.spec({ appId: one.appId, pod, ports: [7002], processType: 'side' });
    for (const spec of [one, two]) await harness.engine.start(spec);
    const [first, second] = [await untilRunning(harness.engine, one), await untilRunning(harness.engine, two)];
    assert.equal(first.nodeId, second.nodeId);
    assert.deepEqual(await ask(two.id, ['http://127.0.0.1:7001/']), ['hello']);
    await removeAll([one, two]);
  });

  test('a node that takes nothing new keeps what it has; pools and refusals are honoured', async () => {
    const specs = await startOn(everyone);
    await harness.engine.useNodes([
      harness.row(1, { schedulable: false }),
      harness.row(2),
      harness.row(3, { poolId: 'other', labels: { zone: 'far' } }),
    ]);
    const more = await startMany(3, { poolId: 'main' });
    assert.deepEqual(new Set(await nodesOf(more)), new Set(['node-2']));
    const lost = harness.spec({ poolId: 'nowhere' });
    await harness.engine.start(lost);
    const refused = await until('a reason', async () => (await find(harness.engine, lost.id))?.exit?.startError);
    assert.match(refused, /no node in its pool/);
    assert.equal(
      (await harness.engine.list()).filter(({ id }) => [...specs.values()].some((each) => each.id === id)).length,
      3,
    );
    const labels = await until('labels', async () => {
      const node = (await swarmNodes()).find(({ Spec }) => Spec.Labels['berth.node'] === 'node-3');
      return node?.Spec.Labels.zone === 'far' ? node.Spec.Labels : null;
    });
    assert.equal(labels['berth.pool'], 'other');
    await harness.engine.useNodes([1, 2, 3].map((number) => harness.row(number)));
    await removeAll([...specs.values(), ...more, lost]);
  });

  volumeTests(() => harness);

  test('an image that was built on one node is brought to the one that needs it', async () => {
    const images: readonly { readonly RepoTags: readonly string[] | null }[] = JSON.parse(await api(1, '/images/json'));
    const stack = images.flatMap(({ RepoTags }) => RepoTags ?? []).find((tag) => tag.startsWith('berth-stack:')) ?? '';
    const json = ['-X', 'POST', '-H', 'Content-Type: application/json', '-d'];
    const made = JSON.parse(
      await api(1, '/containers/create', ...json, JSON.stringify({ Image: stack, Cmd: ['true'] })),
    );
    const tag = 'repo=berth-build&tag=carried';
    const built = JSON.parse(
      await api(1, `/commit?container=${made.Id}&${tag}`, ...json, '{"Labels":{"built":"here"}}'),
    );
    await api(1, `/containers/${made.Id}`, '-X', 'DELETE');
    await harness.engine.useNodes([1, 2, 3].map((each) => harness.row(each, { schedulable: each === 2 })));
    const spec = harness.spec({ artifactDigest: `image:${built.Id}`, command: ['/bin/sleep', '600'], ports: [80] });
    await harness.engine.start(spec);
    assert.equal((await untilRunning(harness.engine, spec)).nodeId, 'node-2');
    assert.match(await api(2, `/images/${built.Id}/json`), /berth-build:carried/);
    await removeAll([spec]);
  });

  test('a server that starts anew says nothing before it knows its nodes, and then finds everything', async () => {
    const specs = await startOn(everyone);
    await harness.restart();
    await assert.rejects(harness.engine.list(), { kind: 'unavailable' });
    await useAll();
    const found = await harness.engine.list();
    assert.deepEqual(found.map(({ id }) => id).toSorted(), [...specs.values()].map(({ id }) => id).toSorted());
    assert.deepEqual(found.map(({ nodeId }) => nodeId).toSorted(), everyone);
    await removeAll([...specs.values()]);
  });

  wayTests(() => harness);
  routeTests(() => harness);
  hangTests(() => harness);

  test('while the platform has but one of three managers nothing counts as lost', async () => {
    const specs = await startOn(everyone);
    await until('all managers', async () => (await managers()).length === 3, patienceMs);
    const listed = async (): Promise<boolean> => {
      const found = await harness.engine.list().catch(() => null);
      assert.ok(found === null || found.length === specs.size, `${found?.length} are listed`);
      return found !== null;
    };
    await Promise.all([machine(2).cut(), machine(3).cut()]);
    await until(
      'both are down',
      async () => {
        await listed();
        return (await harness.engine.describe()).nodes.filter(({ state }) => state === 'down').length === 2;
      },
      lossMs,
    );
    await assert.rejects(harness.engine.list(), /the platform that is cut off/);
    await Promise.all([machine(2).mend(), machine(3).mend()]);
    await until('they are listed again', listed, patienceMs);
    assert.deepEqual(await statesOf(specs), ['running', 'running', 'running']);
    await removeAll([...specs.values()]);
  });

  test('a machine that loses its power is out of the list within seconds; what ran there is back with it, ended', async () => {
    const mounts = [{ volumeId: `w-${harness.options.installId}`, path: '/app/data' }];
    const specs = await startOn(everyone);
    const holder = harness.spec({ mounts, command: 'sleep 600' });
    await harness.engine.useNodes([1, 2, 3].map((each) => harness.row(each, { schedulable: each === 3 })));
    await harness.engine.start(holder);
    await untilRunning(harness.engine, holder);
    await harness.engine.useNodes([1, 2, 3].map((each) => harness.row(each)));
    const there = specs.get('node-3')?.id ?? '';
    await machine(3).powerOff();
    await until('it is out of the list', () => isUnlisted(there), lossMs);
    const { nodes } = await harness.engine.describe();
    assert.deepEqual([nodes[2]?.id, nodes[2]?.state], ['node-3', 'down']);
    for (const id of ['node-1', 'node-2']) assert.ok(await find(harness.engine, specs.get(id)?.id ?? ''));
    await Promise.all([harness.engine.stop(there, 5_000), harness.engine.remove(there)]);
    const [replacement] = await startMany(1, { appId: specs.get('node-1')?.appId ?? '' });
    assert.notDeepEqual(await nodesOf([replacement]), ['node-3']);
    const heir = harness.spec({ mounts, command: 'sleep 600' });
    await harness.engine.start(heir);
    const reason = await until('a reason', async () => (await find(harness.engine, heir.id))?.exit?.startError);
    assert.match(reason, /its volume lies on node node-3/);
    assert.deepEqual(await harness.engine.volumes(), [mounts[0]?.volumeId]);
    await machine(3).start();
    await untilReady(harness.engine, everyone);
    await until('its end', async () => (await find(harness.engine, there))?.state === 'exited', patienceMs);
    await removeAll([...specs.values(), replacement, holder, heir].flatMap((spec) => spec ?? []));
    await harness.engine.removeVolume(mounts[0]?.volumeId ?? '');
  });

  test('with the first node gone the others serve, start in new spaces, and the platform’s way in moves', async () => {
    const specs = await startOn(everyone);
    const far = await untilRunning(harness.engine, specs.get('node-2'));
    await until('all managers', async () => (await managers()).length === 3, patienceMs);
    await machine(1).powerOff();
    const begun = performance.now();
    await until('the way in is another one', () => answerOf(far), lossMs);
    assert.ok(performance.now() - begun < lossMs);
    const fresh = harness.spec({ spaceId: 'made-without-the-first' });
    await until('it is accepted', () => harness.engine.start(fresh).catch(() => null), patienceMs);
    const started = await until(
      'it runs, asked for again while the managers choose a leader',
      async () => {
        if (await isUnlisted(fresh.id)) await harness.engine.start(fresh).catch(never);
        const found = await find(harness.engine, fresh.id).catch(never);
        return found?.state === 'running' && found.address !== null ? found : null;
      },
      patienceMs,
    );
    assert.notEqual(started.nodeId, 'node-1');
    assert.equal(await until('it answers', () => answerOf(started), patienceMs), 'hello');
    // A server that starts meanwhile finds the others, and the managers that are left take its rank from the first.
    await harness.restart();
    await harness.engine.useNodes([1, 2, 3].map((number) => harness.row(number)));
    await untilReady(harness.engine, ['node-2', 'node-3']);
    assert.ok(await find(harness.engine, fresh.id));
    await demoteFirst();
    await machine(1).start();
    await untilReady(harness.engine, everyone);
    assert.equal(await until('still', () => answerOf(started), patienceMs), 'hello');
    await until('it is a manager again', async () => (await managers()).length === 3, patienceMs);
    await removeAll([...specs.values(), fresh]);
  });

  test('a cut wire is a loss; when it is mended both copies of an instance become one', async () => {
    const specs = await startOn(everyone);
    const there = specs.get('node-2');
    await machine(2).cut();
    await until('it is out of the list', () => isUnlisted(there?.id ?? ''), lossMs);
    const twin = { ...harness.spec(), ...there };
    await until('it is started elsewhere', () => harness.engine.start(twin).catch(() => null), patienceMs);
    const second = await until(
      'the second runs',
      async () => {
        if (await isUnlisted(twin.id)) await harness.engine.start(twin).catch(never);
        const found = await find(harness.engine, twin.id).catch(never);
        return found?.state === 'running' ? found : null;
      },
      patienceMs,
    );
    assert.notEqual(second.nodeId, 'node-2');
    await machine(2).mend();
    await untilReady(harness.engine, everyone);
    const copies = async (): Promise<readonly string[]> =>
      (await harness.engine.list()).filter(({ id }) => id === twin.id).map(({ nodeId }) => nodeId);
    assert.deepEqual(await copies(), [second.nodeId]);
    await until('the other container is gone', async () => !(await containersOn(2)).includes(twin.id), patienceMs);
    await removeAll([...specs.values()]);
  });

  test('a node that is taken out is empty and in no Swarm; one of another Swarm is told what to do, and comes back', async () => {
    const mounts = [{ volumeId: `y-${harness.options.installId}`, path: '/app/data' }];
    const holder = harness.spec({ mounts, command: 'echo kept > data/file; sleep 600' });
    await harness.engine.useNodes([1, 2, 3].map((each) => harness.row(each, { schedulable: each === 3 })));
    await harness.engine.start(holder);
    await untilRunning(harness.engine, holder);
    await removeAll([holder]);
    await harness.engine.useNodes([1, 2, 3].map((each) => harness.row(each)));
    const specs = await startOn(everyone);
    await until('all managers', async () => (await managers()).length === 3, patienceMs);
    // Without the second manager the first would have no majority when the third left.
    await machine(2).cut();
    await until('it is missed', async () => (await managers()).length === 2, patienceMs);
    await harness.engine.useNodes([1, 2].map((each) => harness.row(each)));
    await until('it is empty', async () => !(await containersOn(3)).includes(harness.options.installId), patienceMs);
    await until('the others keep it', async () => (await swarmNodes()).length === 3, patienceMs);
    assert.equal((await info(3)).Swarm.LocalNodeState, 'active');
    await machine(2).mend();
    await untilReady(harness.engine, ['node-1', 'node-2']);
    await until('it has left', async () => (await info(3)).Swarm.LocalNodeState === 'inactive', leaveMs);
    assert.equal((await containersOn(3)).includes(harness.options.installId), false);
    await until('the others forgot it', async () => (await swarmNodes()).length === 2, leaveMs);
    await until('one manager of two nodes', async () => (await managers()).length === 1, leaveMs);
    assert.equal((await harness.engine.list()).length, 2);
    const heir = harness.spec({ mounts, command: 'ls data; echo empty; sleep 600' });
    await harness.engine.start(heir);
    await untilRunning(harness.engine, heir);
    await until('it has an empty one', () => harness.lines(heir.appId).includes('empty'));
    assert.match(harness.lines(heir.appId, 'platform').join(), /The volume at \/app\/data went with a node/);
    assert.equal(harness.lines(heir.appId).includes('file'), false);
    await harness.engine.remove(heir.id);
    await harness.engine.removeVolume(mounts[0]?.volumeId ?? '');
    const body = JSON.stringify({ ListenAddr: `${machine(3).address}:2377`, AdvertiseAddr: machine(3).address });
    await api(3, '/swarm/init', '-X', 'POST', '-H', 'Content-Type: application/json', '-d', body);
    await harness.engine.useNodes([1, 2, 3].map((each) => harness.row(each)));
    const message = await until('a message', async () => (await harness.engine.describe()).nodes[2]?.message);
    assert.match(message, /another Swarm.*docker swarm leave/);
    await api(3, '/swarm/leave?force=true', '-X', 'POST');
    await untilReady(harness.engine, everyone);
    await removeAll([...specs.values()]);
  });

  test('closed for good it leaves no container and no network on any node, and no route here', async () => {
    const specs = await startOn(everyone);
    await until('links', async () => (await harness.engine.list()).length === specs.size);
    isOver = true;
    await harness.engine.close({ everything: true });
    const { installId, addressPool = '' } = harness.options;
    for (const number of [1, 2, 3]) {
      assert.equal((await containersOn(number)).includes(installId), false);
      assert.equal((await api(number, '/networks')).includes(`berth-${installId}`), false);
    }
    assert.equal(await command('ip', '-4', 'route', 'show', 'root', addressPool), '');
  });
});

const never = (): null => null;
