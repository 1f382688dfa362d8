/** Volumes outlive the instances that mount them, and hide nothing of the system. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appLines, type Current, inForce, specFor, untilLine, untilState } from './harness.ts';

export function volumeTests(current: Current): void {
  test('a volume is there from its first mount until it is removed, which needs that nobody mounts it', async (t) => {
    const harness = current();
    const { engine } = harness;
    if (harness.real && !(await inForce(harness, 'files'))) return t.skip('optional: nothing can be mounted here');
    const volumeId = harness.id();
    await engine.removeVolume(volumeId);
    const mounts = [{ volumeId, path: '/data' }];
    const [one, two] = [
      specFor(harness, 'say.js', ['here'], { mounts }),
      specFor(harness, 'say.js', ['x'], { mounts }),
    ];
    await Promise.all([engine.start(one), engine.start(two)]);
    await untilState(engine, one.id, 'running');
    assert.ok((await engine.volumes()).includes(volumeId));
    await engine.remove(one.id);
    await assert.rejects(engine.removeVolume(volumeId), {
      kind: 'conflict',
      details: { code: 'volume-in-use', noun: 'volume' },
    });
    await engine.remove(two.id);
    assert.ok((await engine.volumes()).includes(volumeId));
    await engine.removeVolume(volumeId);
    assert.ok(!(await engine.volumes()).includes(volumeId));
  });

  test('what an app writes into its volumes is there for the next instance, and for its pod', async (t) => {
    const harness = current();
    const { engine } = harness;
    if (!(await inForce(harness, 'files'))) return t.skip('optional: nothing can be mounted here');
    const [inner, outer] = [harness.id(), harness.id()];
    const mounts = [
      { volumeId: inner, path: '/app/deep/down' },
      { volumeId: outer, path: '/srv/data' },
    ];
    const appId = harness.id();
    const first = specFor(harness, 'say.js', ['x'], {
      appId,
      mounts,
      command:
        'echo one > deep/down/kept && echo two > /srv/data/kept && echo three > deep/own && echo written; sleep 1000',
    });
    await engine.start(first);
    await untilLine(harness, first, 'written');
    const beside = specFor(harness, 'say.js', ['x'], {
      appId: first.appId,
      mounts: mounts.slice(1),
      pod: harness.id(),
      ports: [],
      command: 'cat /srv/data/kept; echo four >> /srv/data/kept; echo beside',
    });
    await engine.start(beside);
    await untilLine(harness, beside, 'beside');
    assert.deepEqual(appLines(harness, beside).slice(-2), ['two', 'beside']);
    await engine.stop(first.id, 0);
    await Promise.all([engine.remove(first.id), engine.remove(beside.id)]);
    const next = specFor(harness, 'say.js', ['x'], {
      appId,
      mounts,
      command: 'cat deep/down/kept /srv/data/kept; ls deep; echo read',
    });
    await engine.start(next);
    await untilState(engine, next.id, 'exited');
    assert.deepEqual(appLines(harness, next).slice(-5), ['one', 'two', 'four', 'down', 'read']);
    await engine.remove(next.id);
    await Promise.all([engine.removeVolume(inner), engine.removeVolume(outer)]);
  });

  test('a mount that would hide the system, or cannot be, says why', async (t) => {
    const harness = current();
    const { engine } = harness;
    if (!harness.real) return t.skip('optional: nothing is mounted here');
    const isolated = await inForce(harness, 'files');
    const paths = isolated ? ['/', '/usr/local', '/etc', '/proc', 'data', '/data/../etc', '/opt/berth'] : ['/data'];
    for (const path of paths) {
      const spec = specFor(harness, 'say.js', ['here'], { mounts: [{ volumeId: harness.id(), path }] });
      await engine.start(spec);
      const { exit } = await untilState(engine, spec.id, 'exited');
      assert.match(exit?.startError ?? '', isolated ? /volume/ : /bubblewrap/, path);
      await engine.remove(spec.id);
    }
  });
}
