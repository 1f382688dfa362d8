import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineSplitter } from '../../src/engines/common/line-splitter.ts';
import { parseExitFile } from '../../src/engines/process/exit-file.ts';
import { encodeFrame, FrameReader } from '../../src/engines/process/frames.ts';
import { execScript, quote, unitScript } from '../../src/engines/process/inner-script.ts';
import { exitOf } from '../../src/engines/process/unit-exit.ts';

test('lines are the same however the bytes are cut', () => {
  const bytes = Buffer.from('grüße\r\n\n日本 one\nlast');
  for (let size = 1; size <= bytes.length; size++) {
    const splitter = new LineSplitter();
    const lines: string[] = [];
    for (let at = 0; at < bytes.length; at += size) lines.push(...splitter.push(bytes.subarray(at, at + size)));
    assert.deepEqual([...lines, ...splitter.end()], ['grüße', '', '日本 one', 'last']);
  }
});

test('a long line is split at the limit, never inside a character', () => {
  const splitter = new LineSplitter(10);
  const lines = [...splitter.push(Buffer.from(`${'日'.repeat(7)}\n`)), ...splitter.end()];
  assert.deepEqual(lines, ['日日日', '日日日', '日']);
  assert.deepEqual(new LineSplitter(4).push(Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x0a])).length, 2);
});

test('exit file: a code of 137 is no signal unless the shell named one', () => {
  assert.deepEqual(parseExitFile('started\nexit 137\n'), { started: true, status: { code: 137, signal: null } });
  assert.deepEqual(parseExitFile('started\nKilled\nexit 137\n').status, { code: null, signal: 'SIGKILL' });
  assert.deepEqual(parseExitFile('started\nexit 130\n').status, { code: null, signal: 'SIGINT' });
  assert.deepEqual(parseExitFile('started\n'), { started: true, status: null });
  assert.deepEqual(parseExitFile('started\nnonsense').status, null);
  assert.deepEqual(parseExitFile(''), { started: false, status: null });
});

test('how it ended: never ran, was killed, ran out of memory', () => {
  const facts = { stopReason: null, recentMemoryKill: false, at: '2026-01-01T00:00:00.000Z' };
  const killed = { started: true, status: null };
  assert.match(exitOf({ ...facts, record: { started: false, status: null } }).startError ?? '', /sandbox/);
  assert.equal(exitOf({ ...facts, record: killed }).signal, 'SIGKILL');
  assert.equal(exitOf({ ...facts, record: killed, recentMemoryKill: true }).outOfMemory, true);
  const well = { started: true, status: { code: 0, signal: null } };
  assert.equal(exitOf({ ...facts, record: well, recentMemoryKill: true }).outOfMemory, false);
});

test('environment goes into the script quoted, and a bad name not at all', () => {
  assert.equal(quote("it's"), "'it'\\''s'");
  const script = execScript({ GOOD: 'a\nb', 'BAD;id': 'x', IFS: ' ' }, ['run']);
  assert.equal(script.text.split('exec')[0], "export GOOD='a\nb'\n");
  assert.deepEqual(script.argv, ['env', 'IFS= ', 'run']);
  assert.ok(!unitScript({ KEY: 'secret' }, ['run'], false).argv.join(' ').includes('secret'));
});

test('frames survive any cut', () => {
  const bytes = Buffer.concat([encodeFrame(1, 'one'), encodeFrame(2), encodeFrame(3, Buffer.alloc(300, 7))]);
  for (const size of [1, 2, 5, 7, 100, bytes.length]) {
    const reader = new FrameReader();
    const frames = [];
    for (let at = 0; at < bytes.length; at += size) frames.push(...reader.push(bytes.subarray(at, at + size)));
    assert.deepEqual(
      frames.map(({ kind, payload }) => [kind, payload.length]),
      [
        [1, 3],
        [2, 0],
        [3, 300],
      ],
    );
  }
  assert.throws(() => new FrameReader().push(Buffer.from([1, 0xff, 0xff, 0xff, 0xff])), RangeError);
});
