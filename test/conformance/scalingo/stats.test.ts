/** Stats of what runs, and graphs of what it used. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { byMinute, count, mean, percentile } from '../../../src/dialects/scalingo/stats/points.ts';
import { ask } from '../../support/request.ts';
import { until } from '../../support/until.ts';
import { livePlatform } from './live.ts';

const NAME = 'stats-app';
const MIB = 1024 * 1024;

/** `/grow` takes 64 MiB and gives them back with `/shrink`; `/burn` works for a second of a core and says how much of it it got, in %; `/missing` is 404. */
const source = {
  Procfile: 'web: node --expose-gc server.js\n',
  'package.json': '{"name":"stats","private":true}',
  'server.js': `let held = null;
function burn() {
  const [from, startedMs] = [process.cpuUsage(), performance.now()];
  for (;;) {
    const { user, system } = process.cpuUsage(from);
    if (user + system > 1e6) return (user + system) / 10 / (performance.now() - startedMs);
  }
}
require('http').createServer((request, response) => {
  if (request.url === '/grow') held = Buffer.alloc(64 * 1024 * 1024, 1);
  if (request.url === '/shrink') { held = null; global.gc(); }
  response.statusCode = request.url === '/missing' ? 404 : 200;
  response.end(request.url === '/burn' ? String(burn()) : 'ok');
}).listen(process.env.PORT);
`,
};

interface Stats {
  readonly id: string;
  readonly cpu_usage: number;
  readonly memory_usage: number;
  readonly memory_limit: number;
  readonly highest_memory_usage: number;
  readonly swap_usage: number;
  readonly swap_limit: number;
  readonly highest_swap_usage: number;
}
interface Point {
  readonly time: string;
  readonly value: number;
}

test('points are folded by the minute', () => {
  const samples = [
    ['2026-01-01T00:01:59.999Z', 5],
    ['2026-01-01T00:00:10.000Z', 1],
    ['2026-01-01T00:00:50.000Z', 2],
  ] as const;
  const points = (fold: (values: readonly number[]) => number) =>
    byMinute(
      samples.map(([at, value]) => ({ at: new Date(at), value })),
      fold,
    );
  assert.deepEqual(points(mean), [
    { time: '2026-01-01T00:00:00.000Z', value: 1.5 },
    { time: '2026-01-01T00:01:00.000Z', value: 5 },
  ]);
  assert.deepEqual(
    points(count).map(({ value }) => value),
    [2, 1],
  );
  const hundred = Array.from({ length: 100 }, (_, n) => 100 - n);
  assert.deepEqual([percentile(hundred, 50), percentile(hundred, 95), percentile([7], 99)], [50, 95, 7]);
});

suite('stats', () => {
  const live = livePlatform();
  const stats = async (): Promise<readonly Stats[]> =>
    (await live.send('GET', `/apps/${NAME}/stats`)).json<{ stats: readonly Stats[] }>().stats;
  const graph = async (path: string): Promise<readonly Point[]> => {
    const answer = await live.send('GET', `/apps/${NAME}/stats/${path}`);
    assert.equal(answer.status, 200, answer.text);
    return answer.json<readonly Point[]>();
  };
  let visits = 0;
  const visit = async (path: string): Promise<string> => {
    const { body } = await ask(live.platform(), NAME, path);
    visits += 1;
    return body;
  };

  test('what runs, in whole numbers from the kernel', async () => {
    await live.createApp('stats-empty');
    assert.deepEqual((await live.send('GET', '/apps/stats-empty/stats')).json(), { stats: [] });
    await live.runningApp(NAME, source);
    const [before, ...others] = await stats();
    assert.ok(before);
    assert.deepEqual([before.id, others.length], ['web-1', 0]);
    for (const [name, value] of Object.entries(before)) if (name !== 'id') assert.ok(Number.isInteger(value), name);
    assert.deepEqual([before.memory_limit, before.swap_limit, before.swap_usage], [512 * MIB, 1536 * MIB, 0]);
    assert.ok(before.memory_usage > 5 * MIB && before.memory_usage < 200 * MIB, String(before.memory_usage));
    assert.ok(before.highest_memory_usage >= before.memory_usage);
    await until('it idles', async () => ((await stats())[0]?.cpu_usage ?? 100) <= 50);

    await until('it is seen to work', async () => {
      const [share, [now]] = await Promise.all([visit('/burn'), stats()]);
      // On a busy machine it does not get a whole core.
      return (now?.cpu_usage ?? 0) >= Math.min(30, Number(share) / 2);
    });
    await visit('/grow');
    const grown = await until('it is seen to grow', async () => {
      const [now] = await stats();
      return now !== undefined && now.memory_usage > before.memory_usage + 40 * MIB ? now : null;
    });
    await until('a sample has seen it', async () => (await graph('memory')).length > 0, 30_000, 200);
    const seen = (await graph('memory/web/1')).at(-1)?.value ?? 0;
    assert.ok(seen > 0);
    await until(
      'the highest is remembered',
      async () => ((await stats())[0]?.highest_memory_usage ?? 0) >= grown.memory_usage - MIB,
    );
  });

  test('graphs are bare lists, by metric, type and container', async () => {
    for (let n = 0; n < 3; n += 1) await visit('/');
    await visit('/missing');
    const total = (points: readonly Point[]): number => points.reduce((sum, { value }) => sum + value, 0);
    // Each of its workers tells of its own ones.
    await until('the router has told of all requests', async () => total(await graph('router?since=2')) >= visits);
    assert.equal(total(await graph('router?since=2')), visits);
    assert.equal(total(await graph('router?status_code=4XX')), 1);
    assert.equal(total(await graph('router?status_code=2XX')), visits - 1);
    assert.equal(total(await graph('router?status_code=5XX')), 0);
    assert.ok(total(await graph('requests?statistics_type=p95')) > 0);
    for (const path of ['cpu', 'memory', 'swap', 'cpu/web', 'memory/web/1'])
      await until(`${path} has points`, async () => (await graph(path)).length > 0, 30_000, 200);
    const [point] = await graph('memory?last=true');
    assert.ok(point !== undefined && Number.isFinite(Date.parse(point.time)) && point.value > MIB);
    assert.deepEqual(await graph('cpu/clock'), []);
    for (const [path, status] of [
      ['disk', 404],
      ['cpu/web/9', 404],
      ['cpu?since=0', 422],
      ['cpu?since=73', 422],
      ['router?status_code=9XX', 422],
      ['requests?statistics_type=p1', 422],
    ] as const)
      assert.equal((await live.send('GET', `/apps/${NAME}/stats/${path}`)).status, status, path);
    const { metrics } = (await live.send('GET', '/features/metrics')).json<{ metrics: { id: string }[] }>();
    assert.deepEqual(
      metrics.map(({ id }) => id),
      ['cpu', 'memory', 'swap', 'router', 'requests'],
    );
  });
});
