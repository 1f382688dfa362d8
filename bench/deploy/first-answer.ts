/**
 * Deploys of a dependency-free Node app through the public API, each with changed source: archive in, first 200 of the new version out
 * through the router. Split by step; beside it the same program started by hand until its first 200. Prints medians; takes half a minute.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { start } from '../../src/lib/exec.ts';
import { createApp, deploy, startBuild } from '../../test/support/deploy.ts';
import type { TestPlatform } from '../../test/support/platform.ts';
import { ask } from '../../test/support/request.ts';
import { versionedApp } from '../../test/support/source.ts';
import { until } from '../../test/support/until.ts';
import { connectionOf } from '../support/database.ts';
import { median, round } from '../support/numbers.ts';
import { environment } from '../support/pinning.ts';
import { withPlatform } from '../support/platform.ts';

const deploys = 12;
const goalMs = 1_500;
const pollMs = 2;
const marker = 'bench-deploy';
const steps = ['API ack', 'queued', 'build', 'release plan', 'start to ready', 'routing and 200'] as const;

type Deploy = Readonly<Record<(typeof steps)[number] | 'all', number>>;

await withPlatform({}, async (platform) => {
  const path = await createApp(platform, 'bench');
  const database = new pg.Client({ ...(await connectionOf(platform)) });
  await database.connect();
  try {
    // The first one also warms: what is measured is a platform that has been in use.
    await deploy(platform, path, versionedApp('warm', marker));
    const done: Deploy[] = [];
    const bare: number[] = [];
    for (let n = 1; n <= deploys; n += 1) {
      done.push(await deployOnce(platform, database, path, `v${n}`));
      bare.push(await plainStart(`v${n}`));
    }
    print(done, bare);
  } finally {
    await database.end();
  }
});

/** From before the archive is sent to the first answer of the new version; the steps in between are when their rows say. */
async function deployOnce(platform: TestPlatform, database: pg.Client, path: string, version: string): Promise<Deploy> {
  const offset = performance.timeOrigin;
  const began = offset + performance.now();
  const { id } = await startBuild(platform, path, versionedApp(version, marker));
  const acknowledged = offset + performance.now();
  await until(
    `${version} answers`,
    async () => (await ask(platform, 'bench').catch(() => null))?.body.includes(`"${version}"`) === true,
    60_000,
    pollMs,
  );
  const served = offset + performance.now();
  const { building, built, started, ready } = await timesOf(database, id);
  return {
    'API ack': acknowledged - began,
    // A build may begin before its acknowledgement has arrived.
    queued: Math.max(0, building - acknowledged),
    build: built - Math.max(building, acknowledged),
    'release plan': started - built,
    'start to ready': ready - started,
    'routing and 200': served - ready,
    all: served - began,
  };
}

interface Times {
  readonly building: number;
  readonly built: number;
  readonly started: number;
  readonly ready: number;
}

/** When the rows of a build and of the first instance of its release say that things happened, in milliseconds since 1970. */
async function timesOf(database: pg.Client, buildId: string): Promise<Times> {
  const { rows } = await database.query<Times>(
    `select extract(epoch from builds.started_at)::float8 * 1000 as building,
       extract(epoch from builds.finished_at)::float8 * 1000 as built,
       extract(epoch from instances.created_at)::float8 * 1000 as started,
       extract(epoch from instances.ready_at)::float8 * 1000 as ready
     from builds join releases on releases.build_id = builds.id join instances on instances.release_id = releases.id
     where builds.id = $1 order by instances.created_at limit 1`,
    [buildId],
  );
  const [times] = rows;
  if (times === undefined) throw new Error(`the rows of build ${buildId} are gone`);
  return times;
}

/** Milliseconds from starting the same program by hand to its first 200. */
async function plainStart(version: string): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-bench-'));
  const port = await freePort();
  try {
    await writeFile(join(folder, 'server.js'), versionedApp(version, marker)['server.js'] ?? '');
    const began = performance.now();
    const child = start([process.execPath, join(folder, 'server.js'), marker], {
      environment: { ...environment, PORT: String(port) },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    try {
      await until('the program answers', () => answers(port), 30_000, pollMs);
      return performance.now() - began;
    } finally {
      child.kill('SIGKILL');
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    get({ host: '127.0.0.1', port, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).once('error', () => resolve(false));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}

function print(done: readonly Deploy[], bare: readonly number[]): void {
  const all = median(done.map((each) => each.all));
  console.log(`deploy of a Node app without dependencies, archive → first 200; medians of ${deploys}`);
  console.table({
    ms: Object.fromEntries(
      [...steps, 'all' as const].map((step) => [step, round(median(done.map((each) => each[step])))]),
    ),
  });
  const fastest = round(Math.min(...done.map((each) => each.all)));
  const slowest = round(Math.max(...done.map((each) => each.all)));
  console.log(`deploy: ${round(all)} ms, ${fastest} to ${slowest} (goal: ${goalMs})`);
  console.log(
    `the same program started by hand → first 200: ${round(median(bare))} ms; deploy / by hand: ${round(all / median(bare), 1)}`,
  );
}
