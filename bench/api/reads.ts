/**
 * Reads through the Akkeris API: one app, and the list of 1,000, at 1 and 32 connections, with a real token against a whole platform.
 * The server is alone on one core; the database and the load share the other. Beside it node:http with one point select on the same
 * database. Prints medians of interleaved rounds; takes less than a minute. Needs two cores, taskset and wrk.
 */
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { start } from '../../src/lib/exec.ts';
import type { TestPlatform } from '../../test/support/platform.ts';
import { connectionOf, seedApps } from '../support/database.ts';
import { median, round } from '../support/numbers.ts';
import { environment, missingPrograms, otherCore, pin, subjectCore } from '../support/pinning.ts';
import { withPlatform } from '../support/platform.ts';
import { measure, type Sample, type Target } from '../support/wrk.ts';

const apps = 1_000;
const prefix = 'seeded';
const handle = `${prefix}0500`;
const rounds = 3;
const roundSeconds = 2;
const goals = { appsPerSecond: 5_000, listMs: 30 };

interface Row extends Target {
  readonly name: string;
  readonly samples: { readonly 1: Sample[]; readonly 32: Sample[] };
}

const missing =
  availableParallelism() < 2
    ? 'one core is not enough to keep the load away from the server'
    : await missingPrograms({ wrk: '-v', taskset: '-V' });
if (missing !== null) console.log(`API reads: skipped, ${missing}`);
else await withPlatform({}, compare);

async function compare(platform: TestPlatform): Promise<void> {
  const connection = await connectionOf(platform);
  await seedApps(connection, prefix, apps);
  const pid = await pinned(platform);
  const bare = await startBare(JSON.stringify(connection));
  try {
    const headers = { authorization: `Bearer ${platform.token}` };
    const row = (name: string, target: Target): Row => ({ name, ...target, samples: { 1: [], 32: [] } });
    const rows = [
      row('GET /apps/{app}', { url: `${platform.akkerisUrl}/apps/${handle}-default`, pid, headers }),
      row(`GET /apps (${apps})`, { url: `${platform.akkerisUrl}/apps`, pid, headers }),
      row('bare node:http', { url: bare.url, pid: bare.pid, headers: {} }),
    ];
    for (const target of rows) await measure(target, 32, 2);
    for (let turn = 0; turn < rounds; turn += 1)
      for (const target of rows)
        for (const connections of [1, 32] as const)
          target.samples[connections].push(await measure(target, connections, roundSeconds));
    print(rows);
  } finally {
    bare.stop();
  }
}

/** The server's process id, now alone on its core. */
async function pinned(platform: TestPlatform): Promise<number> {
  const [server, database, agent, router] = await Promise.all(
    (['server', 'database', 'agent', 'router'] as const).map((part) => platform.pidOf(part)),
  );
  if (server == null) throw new Error('the server does not run');
  await pin(server, subjectCore);
  const others = [database, agent, router, ...(await backendsOf(database ?? null))];
  for (const pid of others) if (pid != null) await pin(pid, otherCore).catch(() => {});
  return server;
}

/** Sessions that the database opened before it was moved. */
async function backendsOf(database: number | null): Promise<readonly number[]> {
  if (database === null) return [];
  const text = await readFile(`/proc/${database}/task/${database}/children`, 'utf8').catch(() => '');
  return text.trim().split(' ').filter(Boolean).map(Number);
}

async function startBare(connection: string): Promise<Target & { stop(): void }> {
  const script = new URL('./bare-server.ts', import.meta.url).pathname;
  const argv = ['taskset', '-c', subjectCore, process.execPath, '--disable-warning=ExperimentalWarning', script];
  const child = start([...argv, connection, handle], { environment, stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout?.once('data', (text: Buffer) => resolve(Number(text.toString('utf8'))));
    child.once('exit', () => reject(new Error('the bare server ended')));
  });
  return {
    url: `http://127.0.0.1:${port}/`,
    pid: child.pid ?? 0,
    headers: {},
    stop: () => void child.kill(),
  };
}

function print(rows: readonly Row[]): void {
  const of = (row: Row | undefined, connections: 1 | 32, key: keyof Sample): number =>
    median(row?.samples[connections].map((sample) => sample[key]) ?? []);
  const bare = rows.at(-1);
  console.log(
    `API reads, ${apps} apps; the server on one core, database and load on the other; medians of ${rounds} rounds`,
  );
  console.table(
    Object.fromEntries(
      rows.map((row) => [
        row.name,
        {
          'p50 ms at 1': round(of(row, 1, 'p50Ms'), 2),
          'requests/s at 32': round(of(row, 32, 'requestsPerSecond')),
          'of bare': round(of(row, 32, 'requestsPerSecond') / of(bare, 32, 'requestsPerSecond'), 2),
          'p50 ms at 32': round(of(row, 32, 'p50Ms'), 2),
          'p99 ms at 32': round(of(row, 32, 'p99Ms'), 2),
          'CPU µs/request': round(of(row, 32, 'cpuUs')),
          failed: [...row.samples[1], ...row.samples[32]].reduce((sum, sample) => sum + sample.failed, 0),
        },
      ]),
    ),
  );
  console.log(
    `one app at 32: ${round(of(rows[0], 32, 'requestsPerSecond'))} requests/s (goal: ${goals.appsPerSecond})`,
  );
  console.log(`list of ${apps} at 1: ${round(of(rows[1], 1, 'p50Ms'), 1)} ms (goal: ${goals.listMs})`);
}
