import assert from 'node:assert/strict';
import { PassThrough, Writable } from 'node:stream';
import { test } from 'node:test';
import type { LogLine } from '../../src/core/ports/log-store.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { AccessLog, encodeLine } from '../../src/router/access-log.ts';
import { LogSink } from '../../src/router/log-sink.ts';
import { until } from './support/router-harness.ts';

test('a reader that is behind costs the oldest lines, and is told how many', async () => {
  let release: () => void = () => {};
  let received = '';
  const out = new Writable({
    highWaterMark: 1,
    write: (chunk: Buffer, _encoding, done) => {
      received += chunk.toString();
      release = done;
    },
  });
  const log = new AccessLog(out, () => 1000);
  const total = 20_000;
  const text = 'x'.repeat(300);
  for (let at = 0; at < total; at++) log.write('app', 'web', 'i1', `${at} ${text}`);
  const ended = log.end();
  const pump = setInterval(() => {
    const done = release;
    release = () => {};
    done();
  }, 1);
  await ended;
  clearInterval(pump);
  const lines = received.trimEnd().split('\n');
  const dropped = Number(/dropped (\d+) access lines/.exec(received)?.[1]);
  assert.ok(dropped > 0);
  assert.equal(lines.length - 1 + dropped, total);
  assert.ok(lines.at(-1)?.startsWith(`1000\tapp\tweb\ti1\t${total - 1} x`));
});

test('lines reach the store in order by app, in batches, and a slow store loses the oldest with a word', async () => {
  const appended: { stream: string; lines: readonly LogLine[] }[] = [];
  let release: () => void = () => {};
  let slow = true;
  const sink = new LogSink(
    {
      append: async (stream, lines) => {
        appended.push({ stream, lines });
        if (slow) await new Promise<void>((resolve) => (release = resolve));
      },
    },
    systemClock,
    silentLogger,
  );
  const pipe = new PassThrough();
  sink.follow(pipe);
  pipe.write(encodeLine(5, 'a', 'web', 'i1', 'first'));
  await until(() => appended.length === 1);
  assert.deepEqual(appended[0], {
    stream: 'apps/a',
    lines: [{ at: new Date(5), source: 'router', process: 'web', instance: 'i1', seat: '', text: 'first' }],
  });
  const total = 30_000;
  let bytes = '';
  for (let at = 0; at < total; at++) bytes += encodeLine(at, 'a', 'web', 'i1', `line ${at}`);
  // Cut in the middle of lines.
  for (let at = 0; at < bytes.length; at += 10_007) pipe.write(bytes.slice(at, at + 10_007));
  await new Promise<void>((resolve) => pipe.end(resolve));
  await until(() => pipe.readableEnded);
  slow = false;
  release();
  await sink.flush();
  const texts = appended.slice(1).flatMap((each) => each.lines.map((line) => line.text));
  const dropped = Number(/dropped (\d+)/.exec(texts[0] ?? '')?.[1]);
  assert.ok(dropped > 0);
  assert.equal(texts.length - 1 + dropped, total);
  assert.equal(texts.at(-1), `line ${total - 1}`);
});
