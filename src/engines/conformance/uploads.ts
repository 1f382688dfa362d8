/** Files that one-offs are given. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Current, drain, inForce, specFor, untilState } from './harness.ts';

export function uploadTests(current: Current): void {
  test('files that a one-off is given are there under their names, its own to change', async (t) => {
    const harness = current();
    if (!harness.real || !(await inForce(harness, 'files'))) return t.skip('optional: nothing keeps files apart here');
    const folder = harness.folder();
    const big = randomBytes(9 * 2 ** 20);
    const contents = { 'big.bin': big, 'with a space — é.txt': Buffer.from('text\n'), empty: Buffer.alloc(0) };
    const uploads = Object.entries(contents).map(([name, bytes], index) => {
      const path = `${folder}/${index}`;
      writeFileSync(path, bytes, { mode: 0o600 });
      return { name, path };
    });
    const script = [
      'cd /tmp/uploads && ls && sha256sum < big.bin && cat with*',
      'test "$(stat -c %u . big.bin empty | sort -u)" = "$(id -u)" && echo more >> empty && rm big.bin && ls',
    ].join('; ');
    const change = { kind: 'one-off', stdin: true, ports: [], command: script, uploads } as const;
    const spec = specFor(harness, 'copy.js', [], change);
    await harness.engine.start(spec);
    const session = await harness.engine.attach(spec.id);
    session.stdin.end();
    const hash = createHash('sha256').update(big).digest('hex');
    const [one, two, three] = Object.keys(contents).sort();
    assert.equal(
      (await drain(session.stdout)).toString(),
      `${one}\n${two}\n${three}\n${hash}  -\ntext\n${two}\n${three}\n`,
    );
    assert.equal((await session.exit).code, 0);
    await harness.engine.remove(spec.id);
  });

  test('a file that cannot be given says why', async (t) => {
    const harness = current();
    if (!harness.real || !(await inForce(harness, 'files'))) return t.skip('optional: nothing keeps files apart here');
    const uploads = [{ name: '../up', path: `${harness.folder()}/x` }];
    const spec = specFor(harness, 'exit.js', ['0'], { kind: 'one-off', ports: [], uploads });
    await harness.engine.start(spec);
    const { exit } = await untilState(harness.engine, spec.id, 'exited');
    assert.match(exit?.startError ?? '', /a name that none can have/);
    await harness.engine.remove(spec.id);
  });
}
