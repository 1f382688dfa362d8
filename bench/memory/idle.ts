/**
 * Memory of the platform's own processes (proportional set size) while it idles with 50 apps, of which 10 run; without the apps' processes
 * and their sandboxes. Once in the very first start on an empty folder, once in a second start on the same. The peer in the same run is
 * what as many bare Node processes use. Linux only; takes about a minute.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { start } from '../../src/lib/exec.ts';
import { compileCacheOf, warmCompileCache } from '../../src/main/compile-cache.ts';
import { createApp, deploy } from '../../test/support/deploy.ts';
import type { TestPlatform } from '../../test/support/platform.ts';
import { ask } from '../../test/support/request.ts';
import { versionedApp } from '../../test/support/source.ts';
import { until } from '../../test/support/until.ts';
import { connectionOf, seedApps } from '../support/database.ts';
import { median, round } from '../support/numbers.ts';
import { environment } from '../support/pinning.ts';
import { withPlatform } from '../support/platform.ts';
import { memoryOf, type ProcessMemory, processMemory, tree } from '../support/pss.ts';

const running = 10;
const seeded = 40;
const goalMebibytes = 250;
/** Long enough for what the last deploy left to be collected. */
const settleMs = 5_000;
const samples = 3;
const parts = ['up', 'server', 'router', 'worker', 'agent', 'database'] as const;

type Part = (typeof parts)[number];
interface Use {
  readonly mebibytes: Readonly<Record<Part, number>>;
  readonly nodeProcesses: number;
}

const dataFolder = await mkdtemp(join(tmpdir(), 'berth-bench-'));
// As `npm start` does it.
const compileCache = compileCacheOf(dataFolder);
const options = {
  dataFolder,
  environment: { NODE_COMPILE_CACHE: compileCache, NODE_OPTIONS: '--max-semi-space-size=6' },
};
try {
  await warmCompileCache(compileCache);
  const first = await withPlatform(options, async (platform) => {
    for (let n = 0; n < running; n += 1) {
      const path = await createApp(platform, `running${n}`);
      await deploy(platform, path, versionedApp('v1', 'bench-memory'));
    }
    await seedApps(await connectionOf(platform), 'idle', seeded);
    return idleUse(platform);
  });
  const second = await withPlatform(options, idleUse);
  print(first, second, await bareNode(second.nodeProcesses));
} finally {
  await rm(dataFolder, { recursive: true, force: true });
}

/** Once all apps that should run answer, and some time later. */
async function idleUse(platform: TestPlatform): Promise<Use> {
  for (let n = 0; n < running; n += 1)
    await until(`app ${n} answers`, async () => (await ask(platform, `running${n}`)).status === 200, 60_000);
  await wait(settleMs);
  const uses: Use[] = [];
  for (let n = 0; n < samples; n += 1) {
    uses.push(await useNow(platform));
    await wait(500);
  }
  const of = (part: Part): number => median(uses.map((use) => use.mebibytes[part]));
  return {
    mebibytes: {
      up: of('up'),
      server: of('server'),
      router: of('router'),
      worker: of('worker'),
      agent: of('agent'),
      database: of('database'),
    },
    nodeProcesses: median(uses.map((use) => use.nodeProcesses)),
  };
}

async function useNow(platform: TestPlatform): Promise<Use> {
  const all = await processMemory();
  // Below the agent, a program that is not our Node is an app's sandbox.
  const ours = tree(all, platform.upPid, (process) => !isNode(process));
  const database = await platform.pidOf('database');
  const mebibytes = { up: 0, server: 0, router: 0, worker: 0, agent: 0, database: 0 };
  for (const process of ours) if (isNode(process)) mebibytes[partOf(process)] += process.pssMebibytes;
  if (database !== null)
    for (const process of tree(all, database, () => false)) mebibytes.database += process.pssMebibytes;
  return { mebibytes, nodeProcesses: ours.filter(isNode).length };
}

function isNode({ arguments: [program] }: ProcessMemory): boolean {
  return program === process.execPath;
}

function partOf({ arguments: all }: ProcessMemory): Part {
  const at = all.findIndex((argument) => argument.endsWith('berth.ts'));
  const command = all[at + 1];
  return at < 0 ? 'worker' : (parts.find((part) => part === command) ?? 'worker');
}

/** What this many Node processes use that do nothing at all. */
async function bareNode(count: number): Promise<number> {
  const argv = [process.execPath, '-e', 'setInterval(() => {}, 1e9); console.log(1)'];
  const children = Array.from({ length: count }, () =>
    start(argv, { environment, stdio: ['ignore', 'pipe', 'inherit'] }),
  );
  try {
    await Promise.all(children.map((child) => new Promise((resolve) => child.stdout?.once('data', resolve))));
    await wait(settleMs / 5);
    const each = await Promise.all(children.map((child) => memoryOf(child.pid ?? 0)));
    return each.reduce((sum, { pssMebibytes }) => sum + pssMebibytes, 0);
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
}

function print(first: Use, second: Use, bare: number): void {
  const sum = ({ mebibytes }: Use): number => Object.values(mebibytes).reduce((total, each) => total + each, 0);
  const row = (use: Use): Record<string, number> => ({
    ...Object.fromEntries(parts.map((part) => [part === 'worker' ? 'workers' : part, round(use.mebibytes[part], 1)])),
    all: round(sum(use), 1),
    'of bare': round(sum(use) / bare, 2),
  });
  console.log(
    `idle with ${running + seeded} apps, ${running} running, without the apps; MiB (PSS), medians of ${samples}`,
  );
  console.table({
    'first start': row(first),
    'second start': row(second),
    [`${second.nodeProcesses} bare Node processes`]: { all: round(bare, 1), 'of bare': 1 },
  });
  console.log(`goal: ${goalMebibytes} MiB`);
}
