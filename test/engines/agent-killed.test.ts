/** The agent dies by SIGKILL; what it ran goes on, and the next agent takes it over or takes it away whole. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { BerthError } from '../../src/core/errors.ts';
import type { InstanceSpec } from '../../src/core/ports/engine.ts';
import { Secret } from '../../src/core/ports/secret.ts';
import { answer, drain, find, until, untilState } from '../../src/engines/conformance/harness.ts';
import { createProcessEngine, type ProcessEngine } from '../../src/engines/process/client.ts';
import { pidsMarked, processEnvironment } from '../../src/engines/process/proc.ts';
import { markName } from '../../src/engines/process/settings.ts';
import { systemIds } from '../../src/lib/clock.ts';
import { start } from '../../src/lib/exec.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { artifactDigest, makeDataFolder } from './support/process-harness.ts';

interface Fixture {
  readonly engine: ProcessEngine;
  readonly dataFolder: string;
  lines(appId: string): string[];
  kill(): Promise<void>;
  restart(): Promise<void>;
}

/** On a busy machine an agent takes longer to come than the client waits; every verb may be said again. */
function insist<T>(say: () => Promise<T>): Promise<NonNullable<T>> {
  return until('the agent to answer', () =>
    say().catch((error: unknown) => {
      if (error instanceof BerthError && error.kind === 'unavailable') return null;
      throw error;
    }),
  );
}

async function withAgent(t: TestContext, isolation: 'auto' | 'none'): Promise<Fixture> {
  const dataFolder = makeDataFolder();
  const engine = createProcessEngine({ socketPath: join(dataFolder, 'run', 'agent.sock'), logger: silentLogger });
  let child: ChildProcess | null = null;
  const restart = async (): Promise<void> => {
    child = start([process.execPath, join(import.meta.dirname, 'support', 'agent-process.ts'), dataFolder, isolation], {
      environment: { PATH: '/usr/bin:/bin' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    await insist(() => engine.describe());
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const running = child;
    if (running === null) return;
    child = null;
    const gone = new Promise((resolve) => running.once('exit', resolve));
    running.kill(signal);
    await gone;
  };
  t.after(async () => {
    await end('SIGTERM');
    engine.close();
    rmSync(dataFolder, { recursive: true, force: true });
  });
  await restart();
  return {
    engine,
    dataFolder,
    restart,
    kill: () => end('SIGKILL'),
    lines: (appId) => {
      let text = '';
      try {
        text = readFileSync(join(dataFolder, 'log.ndjson'), 'utf8');
      } catch {
        return [];
      }
      return text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as { readonly stream: string; readonly text: string })
        .filter((line) => line.stream === `apps/${appId}`)
        .map((line) => line.text);
    },
  };
}

function spec(command: readonly string[], change: Partial<InstanceSpec> = {}): InstanceSpec {
  return {
    id: systemIds.id(),
    kind: 'process',
    appId: systemIds.id(),
    appHandle: 'killed',
    spaceId: 'space',
    processType: 'web',
    generation: 'g',
    artifactDigest,
    command,
    environment: { MESSAGE: new Secret('kept in the kernel') },
    ports: 'any',
    limits: { memoryBytes: 2 ** 28, cpuShares: 1024, pids: 100 },
    graceMs: 1_000,
    ...change,
  };
}

/** Ends with 12 when it is told to. */
const obeying = "process.on('SIGTERM', () => process.exit(12)); setInterval(() => {}, 60_000); console.log('ready')";
/** Ends with 13 once the file is there. */
const awaiting = "setInterval(() => require('fs').existsSync('go') && process.exit(13), 20)";

/** The processes of the command itself, without those that the agent has around it. */
const ownPids = (id: string): number[] =>
  pidsMarked(markName, id).filter((pid) => processEnvironment(pid)?.HOME !== undefined);

const counting =
  "let n = 0; process.on('SIGTERM', () => process.exit(11)); setInterval(() => console.log('tick ' + n++), 40)";

for (const isolation of ['auto', 'none'] as const) {
  test(`isolation ${isolation}: an instance outlives its agent, with its output, address, exec and exit code`, async (t) => {
    const { engine, kill, restart, lines } = await withAgent(t, isolation);
    const counter = spec(['node', '-e', counting]);
    const server = spec(['node', 'serve.js']);
    await Promise.all([engine.start(counter), engine.start(server)]);
    await until('ticks', () => lines(counter.appId).length > 5);
    const before = await untilState(engine, server.id, 'running');
    await until('the server', () => lines(server.appId).length > 0);
    await kill();
    const url = `http://${before.address?.host}:${before.address?.port}/`;
    assert.equal(await (await fetch(url)).text(), 'kept in the kernel');
    const seen = lines(counter.appId).length;
    await restart();
    const after = await find(engine, server.id);
    assert.deepEqual(after, before);
    await until('more ticks', () => lines(counter.appId).length > seen + 20);
    const ticks = lines(counter.appId).map((line) => Number(line.slice('tick '.length)));
    // What the agent had read and not yet written when it was killed is gone; nothing else is, and nothing comes twice.
    const lost = (ticks[seen] ?? 0) - seen;
    assert.ok(lost >= 0 && lost < 20, `${lost} lines lost`);
    assert.deepEqual(
      ticks,
      ticks.map((_, index) => (index < seen ? index : index + lost)),
    );
    const session = await engine.exec(server.id, { command: ['sh', '-c', 'echo "$MESSAGE"'] });
    assert.equal((await drain(session.stdout)).toString(), 'kept in the kernel\n');
    await engine.stop(counter.id, 5_000);
    assert.equal((await find(engine, counter.id))?.exit?.code, 11);
    await Promise.all([engine.remove(counter.id), engine.remove(server.id)]);
  });

  test(`isolation ${isolation}: links lead on and volumes are kept, before the platform says anything again`, async (t) => {
    const { engine, kill, restart } = await withAgent(t, isolation);
    const { isolation: lines } = await engine.describe();
    const inForce = (what: string): boolean => lines.some((line) => line.what === what && line.inForce);
    const volumeId = systemIds.id();
    const mounts = inForce('files') ? [{ volumeId, path: '/data' }] : [];
    const links = [{ name: 'store', target: 'app/store', port: 6379 }];
    const pod = systemIds.id();
    const server = spec(['node', 'serve.js'], { ports: [80], mounts });
    const caller = spec(['node', 'say.js', 'x'], { links, pod, ports: [81] });
    await Promise.all([engine.start(server), engine.start(caller)]);
    const { address } = await untilState(engine, server.id, 'running');
    await untilState(engine, caller.id, 'running');
    assert.ok(address);
    await engine.routeLinks([{ target: 'app/store', spaceId: 'space', port: 6379, backends: [address] }]);
    const ask = async (id: string, ...words: string[]): Promise<string> => {
      const session = await engine.exec(id, { command: ['node', 'ask.js', ...words] });
      return (await drain(session.stdout)).toString();
    };
    const variable = 'STORE_PORT_6379_TCP';
    await until('the link', async () => (await ask(caller.id, variable)) === 'kept in the kernel\n');
    await kill();
    if (inForce('network')) assert.equal(await answer(address), 'kept in the kernel');
    await restart();
    assert.equal(await ask(caller.id, variable), 'kept in the kernel\n');
    const later = spec(['node', 'serve.js'], { links, pod, ports: [82] });
    await engine.start(later);
    const joined = await untilState(engine, later.id, 'running');
    assert.equal(joined.address?.host, (await find(engine, caller.id))?.address?.host);
    assert.equal(await ask(later.id, `=${variable}`), await ask(caller.id, `=${variable}`));
    assert.deepEqual(await engine.volumes(), mounts.length === 0 ? [] : [volumeId]);
    if (mounts.length > 0) await assert.rejects(engine.removeVolume(volumeId), { kind: 'conflict' });
    await engine.routeLinks([]);
    assert.equal(await ask(caller.id, variable), 'refused\n');
    await Promise.all([server, caller, later].map(({ id }) => engine.remove(id)));
    await engine.removeVolume(volumeId);
    assert.deepEqual(await engine.volumes(), []);
  });

  test(`isolation ${isolation}: an end while no agent runs is found, code and all; a job is waited for`, async (t) => {
    const { engine, kill, restart, dataFolder, lines } = await withAgent(t, isolation);
    const short = spec(['node', '-e', obeying]);
    await engine.start(short);
    await until('it is ready', () => lines(short.appId).includes('ready'));
    mkdirSync(join(dataFolder, 'job'));
    const job = engine.run(
      {
        id: systemIds.id(),
        spaceId: 'space',
        command: ['node', '-e', awaiting],
        folders: [{ host: join(dataFolder, 'job'), inside: '/build', writable: true }],
        environment: {},
        limits: { memoryBytes: 2 ** 28, cpuShares: 1024, pids: 100 },
        timeoutMs: 30_000,
        diskBytes: 2 ** 26,
        log: { stream: 'builds/b', source: 'build', maxBytes: 10_000 },
        network: false,
      },
      new AbortController().signal,
    );
    await until('the job', async () => (await engine.jobs()).length === 1);
    await kill();
    for (const pid of ownPids(short.id)) process.kill(pid, 'SIGTERM');
    await until('the end', () => pidsMarked(markName, short.id).length === 0);
    await restart();
    writeFileSync(join(dataFolder, 'job', 'go'), '');
    assert.equal((await untilState(engine, short.id, 'exited')).exit?.code, 12);
    assert.equal((await job).code, 13);
    await engine.remove(short.id);
  });

  test(`isolation ${isolation}: an attached one-off goes with the agent, whole`, async (t) => {
    const { engine, kill, restart } = await withAgent(t, isolation);
    const attached = spec(['node', 'copy.js'], { kind: 'one-off', stdin: true, ports: [] });
    await engine.start(attached);
    const session = await engine.attach(attached.id);
    session.stdin.write('hello');
    await new Promise((resolve) => session.stdout.once('data', resolve));
    const broken = assert.rejects(session.exit, { kind: 'unavailable' });
    await kill();
    await broken;
    await restart();
    assert.equal((await find(engine, attached.id))?.state, 'exited');
    assert.deepEqual(pidsMarked(markName, attached.id), []);
    await engine.remove(attached.id);
  });

  test(`isolation ${isolation}: killed at any moment of starts, it leaves neither orphans nor doubles`, async (t) => {
    const { engine, kill, restart } = await withAgent(t, isolation);
    const specs = Array.from({ length: 8 }, (_, index) =>
      spec(['node', 'serve.js'], index % 2 === 0 ? {} : { ports: [80] }),
    );
    for (let round = 0; round < specs.length; round++) {
      const each = specs.slice(round, round + 1).concat(specs.slice(0, round));
      const starting = Promise.all(each.map((one) => insist(() => engine.start(one))));
      await delay(round * 4);
      await kill();
      await restart();
      await starting;
    }
    const listed = await until('all to settle', async () => {
      const list = await engine.list();
      return list.every(({ state }) => state === 'running' || state === 'exited') ? list : undefined;
    });
    assert.equal(new Set(listed.map(({ id }) => id)).size, listed.length);
    for (const { id, state } of listed) {
      if (state === 'exited') assert.deepEqual(pidsMarked(markName, id), []);
      else await until('one server', () => ownPids(id).length === 1);
    }
    await Promise.all(specs.map(({ id }) => engine.remove(id)));
    for (const { id } of specs) assert.deepEqual(pidsMarked(markName, id), []);
  });
}

test('a second agent on the same socket is refused', async (t) => {
  const { dataFolder } = await withAgent(t, 'none');
  const second = start(
    [process.execPath, join(import.meta.dirname, 'support', 'agent-process.ts'), dataFolder, 'none'],
    { environment: { PATH: '/usr/bin:/bin' }, stdio: 'ignore' },
  );
  assert.notEqual(await new Promise((resolve) => second.once('exit', resolve)), 0);
});
