/** What `describe` says is in force is tried out; what it says is not, is left alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appLines, type Current, inForce, specFor, untilLine, untilState } from './harness.ts';

export function isolationTests(current: Current): void {
  test('every kind of isolation is spoken of', async () => {
    const { isolation, nodes } = await current().engine.describe();
    assert.deepEqual(isolation.map((line) => line.what).sort(), [
      'cpu',
      'files',
      'memory',
      'network',
      'pids',
      'processes',
      'user',
    ]);
    assert.ok(isolation.every((line) => line.how.length > 0));
    assert.equal(nodes.length > 0, true);
  });

  test('an instance sees neither the platform’s files nor another app’s', async (t) => {
    const harness = current();
    const { forbidden } = harness;
    if (forbidden === null || !(await inForce(harness, 'files'))) return t.skip('optional: not in force here');
    const other = specFor(harness, 'say.js', ['here']);
    await harness.engine.start(other);
    await untilLine(harness, other, 'here');
    const spec = specFor(harness, 'peek.js', [forbidden.path, '/root', '/etc/shadow', '/home', '/etc/passwd']);
    await harness.engine.start(spec);
    await untilState(harness.engine, spec.id, 'exited');
    await untilLine(harness, spec, 'done');
    const lines = appLines(harness, spec);
    for (const path of [forbidden.path, '/root', '/etc/shadow', '/home']) {
      assert.ok(lines.includes(`${path} hidden`), `${path}: ${lines.join(' | ')}`);
    }
    assert.ok(lines.includes('/etc/passwd readable'));
    assert.ok(lines.includes('/usr read-only'));
    if (await inForce(harness, 'user')) assert.ok(!lines.includes('uid 0'));
    await Promise.all([harness.engine.remove(spec.id), harness.engine.remove(other.id)]);
  });

  test('an instance sees only its own processes', async (t) => {
    const harness = current();
    if (!(await inForce(harness, 'processes'))) return t.skip('optional: not in force here');
    const spec = specFor(harness, 'say.js', ['here']);
    await harness.engine.start(spec);
    await untilLine(harness, spec, 'here');
    const session = await harness.engine.exec(spec.id, {
      command: ['node', '-p', "require('node:fs').readdirSync('/proc').filter((name) => Number(name) > 0).length"],
    });
    let text = '';
    for await (const bytes of session.stdout) text += String(bytes);
    assert.ok(Number(text) > 0 && Number(text) < 12, text);
    await harness.engine.remove(spec.id);
  });

  test('an instance reaches its space, and neither the host’s ports nor another space', async (t) => {
    const harness = current();
    const { forbidden } = harness;
    if (forbidden === null || !(await inForce(harness, 'network'))) return t.skip('optional: not in force here');
    const near = specFor(harness, 'serve.js');
    const far = specFor(harness, 'serve.js', [], { spaceId: 'another-space' });
    await Promise.all([harness.engine.start(near), harness.engine.start(far)]);
    const [nearby, away] = await Promise.all([
      untilState(harness.engine, near.id, 'running'),
      untilState(harness.engine, far.id, 'running'),
    ]);
    for (const each of [near, far]) {
      const line = `listening on ${(each === near ? nearby : away).address?.port}`;
      await untilLine(harness, each, line);
    }
    const here = `${nearby.address?.host}:${nearby.address?.port}`;
    const shut = [
      `${away.address?.host}:${away.address?.port}`,
      `127.0.0.1:${forbidden.hostPort}`,
      ...forbidden.hostAddresses.map((address) => `${address}:${forbidden.hostPort}`),
    ];
    const spec = specFor(harness, 'reach.js', [here, ...shut]);
    await harness.engine.start(spec);
    await untilLine(harness, spec, 'done');
    const lines = appLines(harness, spec);
    assert.ok(lines.includes(`${here} open`), lines.join(' | '));
    for (const target of shut) assert.ok(lines.includes(`${target} shut`), lines.join(' | '));
    await Promise.all([spec, near, far].map(({ id }) => harness.engine.remove(id)));
  });
}
