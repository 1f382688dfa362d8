/**
 * Kills a part of the platform at random points of deploys and scalings, and checks what must hold afterwards: everything that was
 * acknowledged comes true, nothing is released twice, no process is left over.
 */
import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { createApp, deploy, patiently, startBuild, type WireBuild, type WireDyno, type WireRelease } from './deploy.ts';
import { startPlatform, type TestPlatform } from './platform.ts';
import { processesWith } from './processes.ts';
import { ask } from './request.ts';
import { versionedApp } from './source.ts';
import { until } from './until.ts';

const TRIALS = 10;
const PATIENCE_MS = 60_000;

/** Registers the two tests of one part. `victim` gives the process to kill, or null while there is none. */
export function faultTrials(name: string, victim: (platform: TestPlatform) => Promise<number | null>): void {
  test(`kill -9 of ${name} at ${TRIALS} random points of a deploy and of a scale`, { timeout: 600_000 }, async (t) => {
    const platform = await startPlatform(t);
    const marker = `marker-${randomBytes(6).toString('hex')}`;
    const path = await createApp(platform, 'faulty');
    await deploy(platform, path, versionedApp('v0', marker));
    const kill = async (afterMs: number): Promise<void> => {
      await wait(afterMs);
      process.kill(await until(`${name} is there to be killed`, () => victim(platform)), 'SIGKILL');
    };

    await t.test('deploys', { timeout: 300_000 }, async () => {
      for (let trial = 1; trial <= TRIALS; trial += 1) await deployTrial(platform, path, marker, `v${trial}`, kill);
    });
    await t.test('scalings', { timeout: 300_000 }, async () => {
      for (let trial = 1; trial <= TRIALS; trial += 1)
        await scaleTrial(platform, path, marker, [3, 1, 2][trial % 3] ?? 1, kill);
    });
    await t.test('nothing is left after the end', async () => {
      assert.equal(await platform.stop(), 0);
      await until('all processes of the app are gone', async () => (await processesWith(marker)).length === 0);
    });
  });
}

type Kill = (afterMs: number) => Promise<void>;

async function deployTrial(
  platform: TestPlatform,
  path: string,
  marker: string,
  version: string,
  kill: Kill,
): Promise<void> {
  const afterMs = randomInt(0, 1_200);
  const label = `${version}, killed after ${afterMs} ms`;
  const build = await patiently(() => startBuild(platform, path, versionedApp(version, marker)));
  await kill(afterMs);
  await until(`the app serves ${label}`, async () => (await versionServed(platform)) === version, PATIENCE_MS).catch(
    async (error: unknown) => {
      const [builds, releases, dynos] = await Promise.all(
        ['builds', 'releases', 'dynos'].map((noun) => patiently(() => platform.akkeris.get(`${path}/${noun}`))),
      );
      throw new Error(
        `${String(error)}\n${JSON.stringify({ build: build.id, builds, releases, dynos }, null, 1).slice(-4_000)}\n${platform.output().slice(-6_000)}`,
      );
    },
  );
  const after = await patiently(() => platform.akkeris.get<WireBuild>(`${path}/builds/${build.id}`));
  assert.equal(after.status, 'succeeded', label);
  const releases = await until(
    `${label} is released`,
    async () => {
      const all = await patiently(() => platform.akkeris.get<readonly WireRelease[]>(`${path}/releases`));
      return all.some((release) => release.slug.id === build.id && release.status === 'succeeded') ? all : null;
    },
    PATIENCE_MS,
  );
  assert.equal(releases.filter((release) => release.slug.id === build.id).length, 1, `one release of ${label}`);
  await converged(platform, path, marker, null);
}

async function scaleTrial(
  platform: TestPlatform,
  path: string,
  marker: string,
  quantity: number,
  kill: Kill,
): Promise<void> {
  const afterMs = randomInt(0, 800);
  await patiently(() => platform.akkeris.patch(`${path}/formation`, [{ type: 'web', quantity }]));
  await kill(afterMs);
  const [web] = await patiently(() =>
    platform.akkeris.get<readonly { type: string; quantity: number }[]>(`${path}/formation`),
  );
  assert.equal(web?.quantity, quantity, `the acknowledged scale is kept, killed after ${afterMs} ms`);
  await converged(platform, path, marker, quantity);
}

async function versionServed(platform: TestPlatform): Promise<string | null> {
  try {
    const { status, body } = await ask(platform, 'faulty', '/', 2_000);
    return status === 200 ? (JSON.parse(body) as { version: string }).version : null;
  } catch {
    return null;
  }
}

/** As many running dynos as wanted, and just as many processes on the machine. */
async function converged(platform: TestPlatform, path: string, marker: string, quantity: number | null): Promise<void> {
  let last = '';
  await until(
    'instances are as wanted and no process is left over',
    async () => {
      const formation = await patiently(() =>
        platform.akkeris.get<readonly { quantity: number }[]>(`${path}/formation`),
      );
      const wanted = quantity ?? formation[0]?.quantity;
      const dynos = await patiently(() => platform.akkeris.get<readonly WireDyno[]>(`${path}/dynos`));
      const processes = await processesWith(marker);
      last = JSON.stringify({ wanted, dynos, processes });
      return dynos.length === wanted && dynos.every((dyno) => dyno.state === 'running') && processes.length === wanted;
    },
    PATIENCE_MS,
    100,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${last}\n${platform.output().slice(-6_000)}`);
  });
}
