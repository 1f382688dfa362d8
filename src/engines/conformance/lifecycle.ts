/** Start, list, address, exit, stop, signal, remove, watch. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appLines, type Current, find, specFor, until, untilLine, untilState } from './harness.ts';

export function lifecycleTests(current: Current): void {
  test('start is idempotent, and what listens on $PORT answers at its address', async () => {
    const harness = current();
    const { engine } = harness;
    const spec = specFor(harness, 'serve.js', [], { generation: 'generation-7' });
    const accepted = await engine.start(spec);
    assert.equal(accepted.id, spec.id);
    await Promise.all([engine.start(spec), engine.start(spec)]);
    const running = await untilState(engine, spec.id, 'running');
    const { address } = running;
    assert.ok(address);
    assert.equal(running.generation, 'generation-7');
    assert.equal(running.appId, spec.appId);
    assert.ok(running.startedAt instanceof Date);
    const answer = await until('an answer', () =>
      fetch(`http://${address.host}:${address.port}/`).then(
        (response) => response.text(),
        () => null,
      ),
    );
    assert.ok(answer.includes(harness.real ? 'hello' : spec.id));
    await until('its line', () => appLines(harness, spec).length > 0);
    assert.equal(appLines(harness, spec).length, 1);
    assert.equal((await engine.list()).filter((instance) => instance.id === spec.id).length, 1);
    await engine.remove(spec.id);
    assert.equal(await find(engine, spec.id), undefined);
  });

  test('an exit code is kept until the instance is removed', async () => {
    const harness = current();
    const spec = specFor(harness, 'exit.js', ['23']);
    await harness.engine.start(spec);
    const { exit } = await untilState(harness.engine, spec.id, 'exited');
    assert.equal(exit?.code, 23);
    assert.equal(exit?.signal, null);
    assert.equal(exit?.outOfMemory, false);
    assert.equal(exit?.startError, null);
    await harness.engine.start(spec);
    assert.equal((await find(harness.engine, spec.id))?.state, 'exited');
    await harness.engine.remove(spec.id);
  });

  test('exit code 137 is told from SIGKILL', async () => {
    const harness = current();
    const code = specFor(harness, 'exit.js', ['137']);
    const killed = specFor(harness, 'say.js', ['here']);
    await Promise.all([harness.engine.start(code), harness.engine.start(killed)]);
    await untilLine(harness, killed, 'here');
    await harness.engine.signal(killed.id, 'SIGKILL');
    assert.equal((await untilState(harness.engine, code.id, 'exited')).exit?.code, 137);
    assert.equal((await untilState(harness.engine, killed.id, 'exited')).exit?.signal, 'SIGKILL');
    await Promise.all([harness.engine.remove(code.id), harness.engine.remove(killed.id)]);
  });

  test('stop asks first, and the last words are in the log', async () => {
    const harness = current();
    const spec = specFor(harness, 'gentle.js');
    await harness.engine.start(spec);
    await untilLine(harness, spec, 'ready');
    await harness.engine.stop(spec.id, 10_000);
    const instance = await find(harness.engine, spec.id);
    assert.equal(instance?.state, 'exited');
    assert.equal(instance?.exit?.code, 0);
    await untilLine(harness, spec, 'asked to end');
    await harness.engine.remove(spec.id);
  });

  test('stop kills after the grace', async () => {
    const harness = current();
    const spec = specFor(harness, 'stubborn.js');
    await harness.engine.start(spec);
    await untilLine(harness, spec, 'ready');
    const before = performance.now();
    await harness.engine.stop(spec.id, 300);
    assert.ok(performance.now() - before >= 290);
    const instance = await find(harness.engine, spec.id);
    assert.equal(instance?.state, 'exited');
    assert.equal(instance?.exit?.signal, 'SIGKILL');
    await harness.engine.remove(spec.id);
  });

  test('stop and remove of an unknown instance are no errors; signal and exec are', async () => {
    const { engine, id } = current();
    await engine.stop(id(), 100);
    await engine.remove(id());
    await assert.rejects(engine.signal(id(), 'SIGTERM'), { kind: 'not-found' });
    await assert.rejects(engine.exec(id(), { command: ['true'] }), { kind: 'not-found' });
  });

  test('remove takes away a running instance', async () => {
    const harness = current();
    const spec = specFor(harness, 'stubborn.js');
    await harness.engine.start(spec);
    await untilLine(harness, spec, 'ready');
    await harness.engine.remove(spec.id);
    assert.equal(await find(harness.engine, spec.id), undefined);
  });

  test('a one-off is ended by its time limit', async () => {
    const harness = current();
    const spec = specFor(harness, 'say.js', ['here'], { kind: 'one-off', timeoutMs: 400, ports: [], graceMs: 100 });
    await harness.engine.start(spec);
    const { exit, address } = await untilState(harness.engine, spec.id, 'exited');
    assert.equal(exit?.timedOut, true);
    assert.equal(address, null);
    await harness.engine.remove(spec.id);
  });

  test('changes wake watchers until they stop watching', async () => {
    const harness = current();
    let wakes = 0;
    const stop = harness.engine.watch(() => {
      wakes++;
    });
    const spec = specFor(harness, 'exit.js', ['0']);
    await until('the watch to stand', async () => {
      await harness.engine.start({ ...spec, id: harness.id() });
      return wakes > 0;
    });
    const before = wakes;
    await harness.engine.start(spec);
    await untilState(harness.engine, spec.id, 'exited');
    await until('a wake', () => wakes > before);
    stop();
    for (const instance of await harness.engine.list()) {
      if (instance.appId === spec.appId) await harness.engine.remove(instance.id);
    }
  });

  test('a restarted client finds what runs and what ended', async () => {
    const harness = current();
    const running = specFor(harness, 'serve.js');
    const ended = specFor(harness, 'exit.js', ['5']);
    await Promise.all([harness.engine.start(running), harness.engine.start(ended)]);
    await untilState(harness.engine, running.id, 'running');
    await untilState(harness.engine, ended.id, 'exited');
    const other = await harness.reconnect();
    assert.equal((await find(other, running.id))?.state, 'running');
    assert.equal((await find(other, ended.id))?.exit?.code, 5);
    await Promise.all([other.remove(running.id), other.remove(ended.id)]);
  });
}
