/** How a container's output gets into the log, from a daemon that says what the test wants: clocks that are set back, logs that are damaged. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { LogLine } from '../../src/core/ports/log-store.ts';
import type { DockerApi } from '../../src/engines/docker/api/docker-api.ts';
import type { Identity } from '../../src/engines/docker/identity.ts';
import { followOutput } from '../../src/engines/docker/log-follower.ts';
import { Notes } from '../../src/engines/docker/notes.ts';
import { type Marks, OutputReader } from '../../src/engines/docker/output-reader.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { standInDaemon } from './support/stand-in-daemon.ts';

type Entry = readonly [stream: 1 | 2 | 3, text: string];

interface Said {
  readonly entries: readonly Entry[];
  /** Of the container, from then on; null: it is not there. */
  readonly state?: object | null;
  /** It breaks off instead of ending. */
  readonly breaks?: boolean;
}

const frame = ([stream, text]: Entry): Buffer => {
  const head = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([head, Buffer.from(text)]);
};
/** An entry of a second of the same hour, by default of stdout. */
const line = (second: number, text: string, stream: 1 | 2 = 1): Entry => [
  stream,
  `2024-01-01T00:${String(Math.floor(second / 60)).padStart(2, '0')}:${String(second % 60).padStart(2, '0')}.000000000Z ${text}\n`,
];
const damaged: Entry = [3, 'Error grabbing logs: log message is too large (4294967295 > 1000000)\n'];
const running = { Status: 'running', Running: true, OOMKilled: false, ExitCode: 0, FinishedAt: '0001-01-01T00:00:00Z' };
const exited = { ...running, Status: 'exited', Running: false, ExitCode: 1, FinishedAt: '2024-01-01T00:10:00Z' };

/** Answers each question for the log with the next of `said`, the last one again and again; `asked` are those questions. */
async function daemon(t: TestContext, state: object | null, said: readonly Said[]) {
  const asked: URLSearchParams[] = [];
  let now = state;
  const { api, folder } = await standInDaemon(t, (request, response) => {
    const url = new URL(request.url ?? '', 'http://docker');
    if (url.pathname.endsWith('/json'))
      return now === null
        ? response.writeHead(404).end('{"message":"No such container"}')
        : response.end(JSON.stringify({ Id: 'c', State: now }));
    const next = said[Math.min(asked.length, said.length - 1)];
    asked.push(url.searchParams);
    if (next?.state !== undefined) now = next.state;
    for (const entry of next?.entries ?? []) response.write(frame(entry));
    return next?.breaks === true ? setImmediate(() => response.destroy()) : response.end();
  });
  return { api, asked, notes: new Notes(join(folder, 'notes')) };
}

const never = new AbortController().signal;

/** What a reader that begins at `marks` takes, and its place then. */
async function read(
  api: DockerApi,
  marks: Marks,
): Promise<{ readonly texts: readonly string[]; readonly marks: Marks }> {
  const texts: string[] = [];
  let place = marks;
  const reader = new OutputReader({
    ...{ api, container: 'c', marks },
    take: async (lines, after) => {
      for (const { text } of lines) texts.push(text);
      place = after;
    },
  });
  await reader.read(false, never);
  return { texts, marks: place };
}

const nothing: Marks = { stdout: null, stderr: null };

test('lines are taken once, in the order in which they were printed, also when the clock is set back', async (t) => {
  const before = [line(100, 'a'), line(300, 'error', 2), line(300, 'b'), line(50, 'c'), line(51, 'd'), line(51, 'e')];
  const after = [line(51, 'f'), line(52, 'g'), line(53, 'error too', 2), line(301, 'h'), line(302, 'i')];
  const { api, asked } = await daemon(t, exited, [{ entries: before }, { entries: [...before, ...after] }]);
  const first = await read(api, nothing);
  assert.deepEqual(first.texts, ['a', 'error', 'b', 'c', 'd', 'e']);
  const second = await read(api, first.marks);
  assert.deepEqual(second.texts, ['f', 'g', 'error too', 'h', 'i']);
  assert.deepEqual((await read(api, second.marks)).texts, []);
  const since = (index: number): number =>
    Number(asked[index]?.get('since')) - Date.parse('2024-01-01T00:00:00Z') / 1000;
  assert.equal(asked[0]?.has('since'), false);
  // From the earlier of both places while they are on two sides of the step, else from the later one.
  assert.ok(since(1) <= 51 && since(1) > 40, String(since(1)));
});

test('where the place of the last line is not there any more, what is later is taken', async (t) => {
  const { api } = await daemon(t, exited, [
    { entries: [line(1, 'a'), line(2, 'b')] },
    { entries: [line(1, 'older'), line(3, 'c'), line(2, 'set back')] },
  ]);
  const { marks } = await read(api, nothing);
  assert.deepEqual((await read(api, marks)).texts, ['c', 'set back']);
});

const identity = { id: 'i', appId: 'a', processType: 'web', seat: '', memoryBytes: 64 * 2 ** 20 } as Identity;

/** What the log has in the end. */
async function follow({ api, notes }: Awaited<ReturnType<typeof daemon>>): Promise<readonly string[]> {
  const lines: LogLine[] = [];
  await followOutput({
    ...{ api, identity, notes, container: 'c', logger: silentLogger, clock: systemClock, signal: never },
    append: async (_stream, some) => void lines.push(...some),
  });
  assert.equal(notes.of(identity.id).isComplete, true);
  return lines.map(({ source, text }) => `${source}: ${text}`);
}

test('of a log that is damaged all is taken that can be read, and the log says that there is no more', async (t) => {
  const parts = await daemon(t, exited, [{ entries: [line(1, 'one'), line(2, 'two'), damaged] }]);
  assert.deepEqual(await follow(parts), ['app: one', 'app: two', 'platform: the rest of its output could not be read']);
});

test('what still prints behind the damage is read on from there', async (t) => {
  const broken = { entries: [line(1, 'one'), damaged] };
  const end = { entries: [line(9, 'later')], state: exited };
  const parts = await daemon(t, running, [...Array.from({ length: 5 }, () => broken), end, broken]);
  assert.deepEqual(await follow(parts), ['app: one', 'platform: a part of its output could not be read', 'app: later']);
  assert.equal(parts.asked[5]?.get('tail'), '0');
});

test('a daemon that goes and comes is waited for; a container that was taken away meanwhile is not', async (t) => {
  const back = await daemon(t, running, [
    ...Array.from({ length: 7 }, () => ({ entries: [line(1, 'one')], breaks: true })),
    { entries: [line(1, 'one'), line(2, 'two')], state: exited },
  ]);
  assert.deepEqual(await follow(back), ['app: one', 'app: two']);
  const gone = await daemon(t, running, [{ entries: [line(1, 'one')], state: null, breaks: true }]);
  assert.deepEqual(await follow(gone), ['app: one', 'platform: the rest of its output could not be read']);
  const whole = await daemon(t, running, [
    { entries: [line(1, 'one'), [1, '2024-01-01T00:00:02.000000000Z two']], state: null },
  ]);
  assert.deepEqual(await follow(whole), ['app: one', 'app: two']);
});

test('the log says what died at the limit: all of it, or one process among others', async (t) => {
  const says = async (change: object, sent: string | null): Promise<readonly string[]> => {
    const parts = await daemon(t, { ...exited, OOMKilled: true, ...change }, [{ entries: [] }]);
    if (sent !== null) parts.notes.change(identity.id, { sent });
    return follow(parts);
  };
  const whole = ['platform: Error R15 (Memory quota vastly exceeded): killed at its limit of 64 MiB'];
  const one = ['platform: one of its processes was killed at its limit of 64 MiB of memory'];
  assert.deepEqual(await says({ ExitCode: 137 }, null), whole);
  assert.deepEqual(await says({ ExitCode: 137 }, 'SIGTERM'), whole);
  assert.deepEqual(await says({ ExitCode: 137 }, 'SIGKILL'), one);
  assert.deepEqual(await says({ ExitCode: 0 }, 'SIGTERM'), one);
  assert.deepEqual(await says({ ExitCode: 1 }, null), one);
});
