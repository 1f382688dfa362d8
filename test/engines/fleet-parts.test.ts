/** The pure parts of the Docker engine's fleet: managers, labels, where volumes lie, when silence is a loss. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { DockerError } from '../../src/engines/docker/api/docker-error.ts';
import { joinAddresses } from '../../src/engines/docker/fleet/joining.ts';
import {
  isSpare,
  type ManagerCandidate,
  managersFor,
  nextManagerStep,
} from '../../src/engines/docker/fleet/manager-plan.ts';
import { Managers } from '../../src/engines/docker/fleet/managers.ts';
import { wantedLabels } from '../../src/engines/docker/fleet/membership.ts';
import { placeNow } from '../../src/engines/docker/fleet/placing.ts';
import { watchPulse } from '../../src/engines/docker/fleet/pulse.ts';
import { standingOf } from '../../src/engines/docker/fleet/quorum.ts';
import { VolumeBook } from '../../src/engines/docker/fleet/volume-book.ts';
import { clashes } from '../../src/engines/docker/fleet/volume-users.ts';

const candidate = (id: string, change: Partial<ManagerCandidate> = {}): ManagerCandidate => ({
  ...{ id, isManager: false, isReachable: false, isReady: true, isGivenUp: false, isHome: false, isOurs: true },
  ...change,
});
const manager = (id: string, change: Partial<ManagerCandidate> = {}): ManagerCandidate =>
  candidate(id, { isManager: true, isReachable: true, ...change });
const dead = { isReachable: false, isReady: false };

test('one manager for one or two nodes, three from three, five from seven; one step at a time', () => {
  assert.deepEqual([1, 2, 3, 6, 7, 20].map(managersFor), [1, 1, 3, 3, 5, 5]);
  const home = manager('c', { isHome: true });
  assert.equal(nextManagerStep([home, candidate('a')]), null);
  assert.deepEqual(nextManagerStep([home, candidate('b'), candidate('a')]), { promote: 'a' });
  assert.equal(nextManagerStep([home, manager('a', { isReachable: false }), candidate('b')]), null);
  assert.deepEqual(nextManagerStep([home, manager('a'), candidate('b')]), { promote: 'b' });
  assert.equal(nextManagerStep([home, manager('a'), manager('b')]), null);
  assert.deepEqual(nextManagerStep([home, manager('a'), manager('b', { isOurs: false })].slice(0, 2)), { demote: 'a' });
});

test('a manager that is away is waited for, then replaced, then demoted', () => {
  const home = manager('a', { isHome: true });
  const [away, lost] = [manager('b', dead), manager('b', { ...dead, isGivenUp: true })];
  assert.equal(nextManagerStep([home, away, manager('c'), candidate('d')]), null);
  assert.deepEqual(nextManagerStep([home, lost, manager('c'), candidate('d')]), { promote: 'd' });
  assert.deepEqual(nextManagerStep([home, lost, manager('c'), manager('d')]), { demote: 'b' });
  assert.deepEqual(nextManagerStep([home, lost, manager('c')]), { demote: 'b' });
});

test('whatever the Swarm looks like, no step is made without a majority, and no step takes it away', () => {
  const any = fc.record({
    ...{ isManager: fc.boolean(), isReachable: fc.boolean(), isReady: fc.boolean(), isGivenUp: fc.boolean() },
    ...{ isOurs: fc.boolean(), isHome: fc.constant(false), id: fc.uuid() },
  });
  const swarm = fc.uniqueArray(any, { selector: ({ id }) => id, maxLength: 9 });
  const alive = ({ isManager, isReachable, isReady, isOurs }: ManagerCandidate): boolean =>
    isManager && isReachable && (isReady || !isOurs);
  fc.assert(
    fc.property(swarm, (nodes) => {
      const step = nextManagerStep(nodes);
      if (step === null) return;
      const managers = nodes.filter(({ isManager }) => isManager);
      assert.ok(managers.filter(alive).length * 2 > managers.length);
      const id = 'promote' in step ? step.promote : step.demote;
      const chosen = nodes.find((node) => node.id === id);
      assert.ok(chosen?.isOurs);
      if ('promote' in step) return assert.ok(chosen.isReady && !chosen.isManager);
      const left = managers.filter((node) => node.id !== id);
      assert.ok(left.length > 0 && left.filter(alive).length * 2 > left.length);
    }),
  );
});

test('a manager leaves only when the others have a majority, and one after another', () => {
  const rank = (id: string, change = {}) => ({ id, isWanted: true, isManager: true, isReachable: true, ...change });
  const [gone, late] = [rank('b', { isReachable: false }), rank('b', { isWanted: false })];
  const worker = { id: 'w', isWanted: false, isManager: false, isReachable: false };
  assert.ok(isSpare([rank('a'), rank('b'), rank('c'), worker], 'c'));
  assert.ok(isSpare([rank('a'), rank('c')], 'c'));
  assert.ok(!isSpare([rank('a'), gone, rank('c')], 'c'));
  assert.ok(isSpare([rank('a'), gone, rank('c')], 'b'));
  assert.ok(isSpare([rank('a'), gone, rank('c'), rank('d')], 'c'));
  assert.ok(!isSpare([rank('a'), late, rank('c')], 'c'), 'another one is on its way out');
  assert.ok(isSpare([rank('a'), late, rank('c')], 'b'), 'that one goes on');
  assert.ok(!isSpare([rank('c'), worker], 'c'), 'the last one stays');
});

test('what is seen is believed while most managers answer; one that is silent just now is waited for', () => {
  assert.equal(standingOf([]), 'majority');
  assert.equal(standingOf(['away']), 'majority');
  assert.equal(standingOf(['here', 'here', 'away']), 'majority');
  assert.equal(standingOf(['here', 'silent', 'away']), 'doubt');
  assert.equal(standingOf(['here', 'away']), 'minority');
  assert.equal(standingOf(['here', 'away', 'away']), 'minority');
  assert.equal(standingOf(['away', 'away', 'away']), 'minority');
});

test('a start waits for a node that did not answer just now, unless another one may have it', () => {
  const limits = { memoryBytes: 1, cpuShares: 1, pids: 1 };
  const wanted = { appId: 'a', processType: 'web', poolId: 'main', limits };
  const node = (id: string, change: object = {}) => ({
    ...{ id, poolId: 'main', ready: true, schedulable: true, isGrey: false, memoryBytes: 9, cpus: 1 },
    ...{ volumes: new Set<string>(), instances: [] },
    ...change,
  });
  const grey = node('grey', { isGrey: true });
  assert.deepEqual(placeNow(wanted, [grey, node('z')]), { nodeId: 'z' });
  assert.equal(placeNow(wanted, [grey]), null);
  assert.equal(placeNow(wanted, [grey, node('full', { schedulable: false })]), null);
  assert.equal(placeNow(wanted, [grey, node('elsewhere', { poolId: 'other' })]), null);
  const refused = { refused: 'no node of its pool is ready at the moment' };
  assert.deepEqual(placeNow(wanted, [node('lost', { ready: false, isGrey: true })]), refused);
  const mounts = [{ volumeId: 'v', path: '/v' }];
  const holder = node('holder', { isGrey: true, volumes: new Set(['v']) });
  assert.equal(placeNow({ ...wanted, mounts }, [holder, node('z')]), null);
  const member = { appId: 'a', processType: 'web', memoryBytes: 1, pod: 'p' };
  const pods = [node('with', { isGrey: true, instances: [member] }), node('z')];
  assert.equal(placeNow({ ...wanted, pod: 'p' }, pods), null);
  assert.deepEqual(placeNow({ ...wanted, pod: 'q' }, pods), { nodeId: 'z' });
});

test('labels of others stay; ours follow the table', () => {
  const wish = { id: 'n', poolId: 'p', schedulable: true, labels: { zone: 'a' } };
  const first = wantedLabels({ theirs: 'x' }, wish, 'install');
  assert.deepEqual(
    [first.theirs, first.zone, first['berth.node'], first['berth.pool'], first['berth.install']],
    ['x', 'a', 'n', 'p', 'install'],
  );
  assert.deepEqual(wantedLabels(first, wish, 'install'), first);
  const second = wantedLabels(first, { ...wish, poolId: 'q', labels: { rack: '7' } }, 'install');
  assert.deepEqual([second.theirs, second.zone, second.rack, second['berth.pool']], ['x', undefined, '7', 'q']);
});

test('who joins is sent to managers that can be reached; a Swarm on the loopback says what to set', () => {
  const at = (Addr: string, Reachability: 'reachable' | 'unreachable' = 'reachable') => ({
    ManagerStatus: { Addr, Reachability },
  });
  assert.deepEqual(joinAddresses([at('10.0.0.1:2377'), at('10.0.0.2:2377', 'unreachable'), {}]), ['10.0.0.1:2377']);
  assert.throws(() => joinAddresses([at('127.0.0.1:2377')]), /BERTH_DOCKER_ADVERTISE_ADDRESS/);
});

test('where volumes lie is remembered across restarts; half a copy is no volume', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-book-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'volumes.json');
  const book = new VolumeBook(path);
  book.saw('one', ['a', 'b'], () => true);
  book.saw('two', ['a'], () => true);
  assert.deepEqual([book.addressOf('a'), book.addressOf('b'), book.addressOf('c')], ['one', 'one', null]);
  book.unwant('two', 'b');
  book.saw('two', ['b'], () => true);
  assert.equal(book.addressOf('b'), 'one');
  book.moved('b', 'two', 'one');
  const again = new VolumeBook(path);
  assert.deepEqual([again.addressOf('b'), again.unwantedAt('one'), again.unwantedAt('two')], ['two', ['b'], []]);
  again.gone('one', 'b');
  assert.deepEqual(again.unwantedAt('one'), []);
  again.saw('three', ['a'], () => false);
  assert.equal(again.addressOf('a'), 'three');
  assert.equal(book.addressOf('a'), 'three', 'what another server wrote is read');
  book.placed('d', 'two');
  again.givenUp('a');
  assert.deepEqual(
    [book.addressOf('a'), again.addressOf('d'), new VolumeBook(path).volumesAt('two')],
    [null, 'two', ['b', 'd']],
  );
});

test('a volume is one instance’s alone, but for other processes of its pod', () => {
  const spec = { id: 'new', processType: 'web', spaceId: 's', pod: 'p', mounts: [] };
  const other = { id: 'old', processType: 'web', podKey: 's p' };
  assert.deepEqual(
    [null, { ...other, id: 'new' }, other, { ...other, processType: 'side' }, { ...other, podKey: null }].map((each) =>
      clashes(each, spec),
    ),
    [false, false, true, false, true],
  );
  assert.equal(clashes({ ...other, podKey: null, processType: 'side' }, { ...spec, pod: null }), true);
});

test('silence is a loss only when it is long and was asked about twice', async () => {
  const closed = new AbortController();
  const heard: string[] = [];
  const answers = [true, false, true];
  const lost = Promise.withResolvers<void>();
  const watching = watchPulse({
    ping: async () => {
      if (answers.shift() !== true) throw new Error('nobody');
    },
    answered: () => heard.push('answered'),
    silent: (isLost) => {
      heard.push(isLost ? 'lost' : 'silent');
      if (isLost) lost.resolve();
    },
    signal: closed.signal,
    times: { everyMs: 10, lostAfterMs: 45 },
  });
  await lost.promise;
  closed.abort();
  await watching;
  assert.deepEqual(heard.slice(0, 4), ['answered', 'silent', 'answered', 'silent']);
  assert.equal(heard.at(-1), 'lost');
  assert.ok(heard.length >= 5, heard.join(' '));
});

test('a call goes to the next manager when one is away, and what a manager refuses is refused', async () => {
  const asked: string[] = [];
  const api = (name: string, error: Error | null) => ({
    call: async <T>(): Promise<T> => {
      asked.push(name);
      if (error !== null) throw error;
      return name as T;
    },
  });
  const worker = api('worker', new DockerError(503, 'This node is not a swarm manager.'));
  const candidates = [worker, api('manager', null)];
  const managers = new Managers({ candidates: () => candidates, areSeveral: () => false });
  assert.equal(await managers.call('GET', '/nodes'), 'manager');
  assert.equal(await managers.call('GET', '/nodes'), 'manager');
  assert.deepEqual(asked, ['worker', 'manager', 'manager']);
  const refusing = new Managers({
    candidates: () => [api('one', new DockerError(409, 'taken')), api('two', null)],
    areSeveral: () => false,
  });
  await assert.rejects(refusing.call('POST', '/networks/create'), { status: 409 });
});
