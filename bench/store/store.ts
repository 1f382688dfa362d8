/**
 * What the store can do on this machine, beside a bare `select 1` over the same connections as the reference. Prints one line each.
 * Run: `node bench/store/store.ts`.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from '../../src/core/ports/database.ts';
import { Secret } from '../../src/core/ports/secret.ts';
import { systemIds } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { createSecretBox } from '../../src/lib/secret-box.ts';
import { openDatabase } from '../../src/store/database.ts';
import { startEmbeddedPostgres } from '../../src/store/embedded/start.ts';
import { app, event, ground, operation } from '../../test/store/nouns.ts';

const APPS = 1000;
const SECONDS = 3;

interface Measure {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Keeps `lanes` calls going for some seconds. */
async function measure(lanes: number, call: (n: number) => Promise<unknown>): Promise<Measure> {
  const times: number[] = [];
  const begun = performance.now();
  const end = begun + SECONDS * 1000;
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      for (let n = lane; performance.now() < end; n += lanes) {
        const from = performance.now();
        await call(n);
        times.push(performance.now() - from);
      }
    }),
  );
  const seconds = (performance.now() - begun) / 1000;
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(share * (times.length - 1))] ?? 0;
  return { perSecond: times.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99) };
}

function show(what: string, { perSecond, p50Ms, p99Ms }: Measure): void {
  const figures = [`${perSecond.toFixed(0)}/s`, `p50 ${p50Ms.toFixed(2)} ms`, `p99 ${p99Ms.toFixed(2)} ms`];
  console.log(`${what.padEnd(48)} ${figures.map((figure) => figure.padEnd(14)).join(' ')}`);
}

/** Proportional set size of the server's processes, in MB: shared pages are counted once. */
async function memoryMb(mainPid: number): Promise<number> {
  let kilobytes = 0;
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const status = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '');
    const parent = Number(status.slice(status.lastIndexOf(')') + 2).split(' ')[1]);
    if (Number(entry) !== mainPid && parent !== mainPid) continue;
    const rollup = await readFile(`/proc/${entry}/smaps_rollup`, 'utf8').catch(() => '');
    kilobytes += Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0);
  }
  return kilobytes / 1024;
}

async function fill(db: Database): Promise<readonly string[]> {
  const on = await ground(db);
  const made = Array.from({ length: APPS }, () => app(on, { description: 'an app' }));
  for (const one of made) await db.apps.insert(one);
  return made.map((one) => one.handle);
}

const folder = await mkdtemp(join(tmpdir(), 'berth-bench-store-'));
const begun = performance.now();
const server = await startEmbeddedPostgres({ dataFolder: folder, logger: silentLogger });
console.log(`PostgreSQL ${server.version}: made and started in ${(performance.now() - begun).toFixed(0)} ms`);
const box = createSecretBox(Buffer.alloc(32, 1), (text) => new Secret(text));
const db = await openDatabase({ connection: server.connection, box, logger: silentLogger });
try {
  const handles = await fill(db);
  const pick = (n: number): string => handles[n % handles.length] ?? '';
  for (const lanes of [1, 32]) {
    console.log(`-- ${lanes} at once`);
    show('reference: select 1', await measure(lanes, () => db.ping()));
    show('apps.find', await measure(lanes, (n) => db.apps.find(pick(n))));
    show(
      'apps.list of 1,000, as JSON',
      await measure(Math.min(lanes, 4), async () => JSON.stringify(await db.apps.list('all', {}, { limit: 1000 }))),
    );
    show('append an event (durable)', await measure(lanes, () => db.events.append(event())));
    show(
      'transaction: lock app, event, operation, wake',
      await measure(lanes, (n) =>
        db.transaction(async (stores) => {
          const found = await stores.apps.find(pick(n));
          if (found !== null) await stores.apps.lock(found.id);
          await stores.events.append(event());
          await stores.operations.insert(operation());
          await stores.wake('operation', systemIds.id());
        }),
      ),
    );
    show(
      'claim and finish an operation',
      await measure(lanes, async (n) => {
        const claimed = await db.operations.claim('build', `holder ${n}`, 60_000);
        if (claimed !== null) await db.operations.finish(claimed.id, `holder ${n}`, 'succeeded', null);
      }),
    );
  }
  console.log(
    `memory of the server (PSS): ${(await memoryMb((await server.pid()) ?? 0)).toFixed(0)} MB after the load`,
  );
  await db.close();
  await server.stop();
  const again = performance.now();
  const restarted = await startEmbeddedPostgres({ dataFolder: folder, logger: silentLogger });
  console.log(`started again in ${(performance.now() - again).toFixed(0)} ms`);
  const idle = await openDatabase({ connection: restarted.connection, box, logger: silentLogger });
  await Promise.all(handles.slice(0, 50).map((handle) => idle.apps.find(handle)));
  console.log(
    `memory of the server (PSS): ${(await memoryMb((await restarted.pid()) ?? 0)).toFixed(0)} MB with 50 apps looked at`,
  );
  await idle.close();
  await restarted.stop();
} finally {
  await db.close().catch(() => {});
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
