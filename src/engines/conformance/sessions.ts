/** Exec and attached one-offs: streams, exit codes, terminals. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { type Current, drain, find, specFor, until, untilLine, untilState } from './harness.ts';

export function sessionTests(current: Current): void {
  test('exec passes stdin, its half-close and the exit code', async () => {
    const harness = current();
    const spec = specFor(harness, 'say.js', ['here']);
    await harness.engine.start(spec);
    await untilLine(harness, spec, 'here');
    const session = await harness.engine.exec(spec.id, { command: ['node', 'copy.js', '9'] });
    session.stdin.end('to and fro\n');
    assert.equal((await drain(session.stdout)).toString(), 'to and fro\n');
    assert.equal((await session.exit).code, 9);
    await harness.engine.remove(spec.id);
    await assert.rejects(harness.engine.exec(spec.id, { command: ['true'] }), { kind: 'not-found' });
  });

  test('exec of an exited instance is a conflict', async () => {
    const harness = current();
    const spec = specFor(harness, 'exit.js', ['0']);
    await harness.engine.start(spec);
    await untilState(harness.engine, spec.id, 'exited');
    await assert.rejects(harness.engine.exec(spec.id, { command: ['true'] }), { kind: 'conflict' });
    await harness.engine.remove(spec.id);
  });

  test('exec has the instance’s environment, its own stderr, and tells signals from codes', async (t) => {
    const harness = current();
    if (!harness.real) return t.skip('optional: nothing runs here');
    const spec = specFor(harness, 'say.js', ['here']);
    await harness.engine.start(spec);
    const script = 'echo "$MESSAGE $PORT"; echo oops >&2; kill -9 $$';
    const session = await harness.engine.exec(spec.id, { command: ['sh', '-c', script] });
    assert.ok(session.stderr);
    const [out, error] = await Promise.all([drain(session.stdout), drain(session.stderr)]);
    assert.match(out.toString(), /^hello \d+\n$/);
    assert.equal(error.toString(), 'oops\n');
    assert.equal((await session.exit).signal, 'SIGKILL');
    await harness.engine.remove(spec.id);
  });

  test('32 MB go through exec and back unchanged', async (t) => {
    const harness = current();
    if (!harness.real) return t.skip('optional: nothing runs here');
    const spec = specFor(harness, 'say.js', ['here']);
    await harness.engine.start(spec);
    const session = await harness.engine.exec(spec.id, { command: ['cat'] });
    const chunk = Buffer.from(Array.from({ length: 65_536 }, (_, index) => (index * 7) % 256));
    const rounds = 512;
    const sent = createHash('sha256');
    const feed = (async () => {
      for (let round = 0; round < rounds; round++) {
        sent.update(chunk);
        if (!session.stdin.write(chunk)) await new Promise((resolve) => session.stdin.once('drain', resolve));
      }
      session.stdin.end();
    })();
    const received = createHash('sha256');
    for await (const bytes of session.stdout) received.update(bytes);
    await feed;
    assert.equal(received.digest('hex'), sent.digest('hex'));
    assert.equal((await session.exit).code, 0);
    await harness.engine.remove(spec.id);
  });

  test('a terminal has a size, can be resized, and passes the exit code', async (t) => {
    const harness = current();
    if (!harness.real) return t.skip('optional: nothing runs here');
    const spec = specFor(harness, 'say.js', ['here']);
    await harness.engine.start(spec);
    const session = await harness.engine.exec(spec.id, {
      command: ['sh', '-c', 'stty size; read line; stty size; exit 4'],
      terminal: { columns: 91, rows: 17 },
    });
    assert.equal(session.stderr, null);
    let text = '';
    session.stdout.on('data', (bytes: Buffer) => {
      text += bytes.toString();
    });
    await until('the first size', () => text.includes('17 91'));
    await session.resize({ columns: 120, rows: 40 });
    session.stdin.write('\n');
    assert.equal((await session.exit).code, 4);
    await until('the second size', () => text.includes('40 120'));
    await harness.engine.remove(spec.id);
  });

  test('a signal to an exec ends it and not the instance; a client that goes takes its exec along', async (t) => {
    const harness = current();
    if (!harness.real) return t.skip('optional: nothing runs here');
    const spec = specFor(harness, 'say.js', ['here']);
    await harness.engine.start(spec);
    await untilLine(harness, spec, 'here');
    const idle = (await harness.engine.stats([spec.id]))[0]?.pids ?? 0;
    const session = await harness.engine.exec(spec.id, { command: ['sh', '-c', 'echo up; sleep 100; echo no'] });
    session.stdout.once('data', () => void session.kill('SIGTERM'));
    assert.equal((await session.exit).signal, 'SIGTERM');
    const left = await harness.engine.exec(spec.id, { command: ['sh', '-c', 'echo up; sleep 100'] });
    await new Promise((resolve) => left.stdout.once('data', resolve));
    (left.stdin as unknown as { destroy(): void }).destroy();
    (left.stdout as unknown as { destroy(): void }).destroy();
    await until('the exec to be gone', async () => ((await harness.engine.stats([spec.id]))[0]?.pids ?? 0) <= idle);
    assert.equal((await find(harness.engine, spec.id))?.state, 'running');
    await harness.engine.remove(spec.id);
  });

  test('an exec that takes no stdin slows who gives it, and can still be ended', async (t) => {
    const harness = current();
    if (!harness.real) return t.skip('optional: nothing runs here');
    const spec = specFor(harness, 'say.js', ['here']);
    await harness.engine.start(spec);
    await untilLine(harness, spec, 'here');
    const session = await harness.engine.exec(spec.id, { command: ['sh', '-c', 'echo up; sleep 100'] });
    await new Promise((resolve) => session.stdout.once('data', resolve));
    let sentBytes = 0;
    while (session.stdin.write(Buffer.alloc(64 * 1024)) && sentBytes < 64 * 2 ** 20) sentBytes += 64 * 1024;
    assert.ok(sentBytes < 64 * 2 ** 20, 'nobody keeps so much for it');
    await session.kill('SIGTERM');
    assert.equal((await session.exit).signal, 'SIGTERM');
    await harness.engine.remove(spec.id);
  });

  test('a one-off with stdin is attached to, and ends with its code', async () => {
    const harness = current();
    const spec = specFor(harness, 'copy.js', ['6'], { kind: 'one-off', stdin: true, ports: [] });
    await harness.engine.start(spec);
    const session = await harness.engine.attach(spec.id);
    session.stdin.end('typed\n');
    assert.equal((await drain(session.stdout)).toString(), 'typed\n');
    assert.equal((await session.exit).code, 6);
    assert.equal((await untilState(harness.engine, spec.id, 'exited')).exit?.code, 6);
    await harness.engine.remove(spec.id);
  });

  test('an instance without stdin cannot be attached to', async () => {
    const harness = current();
    const spec = specFor(harness, 'say.js', ['here']);
    await harness.engine.start(spec);
    await assert.rejects(harness.engine.attach(spec.id), { kind: 'conflict' });
    await harness.engine.remove(spec.id);
  });
}
