/** What an instance prints reaches its app's log, whatever the bytes and however much. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../core/ports/secret.ts';
import { appLines, type Current, specFor, until, untilLine, untilState } from './harness.ts';

export function outputTests(current: Current): void {
  test('a line names its process, instance and seat', async () => {
    const harness = current();
    const spec = specFor(harness, 'say.js', ['one-line'], { processType: 'worker', seat: '3-0' });
    await harness.engine.start(spec);
    await untilLine(harness, spec, 'one-line');
    const line = harness.lines(`apps/${spec.appId}`).find((each) => each.text === 'one-line');
    assert.equal(line?.process, 'worker');
    assert.equal(line?.instance, spec.id);
    assert.equal(line?.seat, '3-0');
    assert.equal(line?.source, 'app');
    await harness.engine.remove(spec.id);
  });

  test('bytes that are no text arrive readable, long lines in pieces, the last line without its end', async (t) => {
    const harness = current();
    if (!harness.real) return t.skip('optional: nothing prints bytes here');
    const spec = specFor(harness, 'bytes.js');
    await harness.engine.start(spec);
    await untilState(harness.engine, spec.id, 'exited');
    await untilLine(harness, spec, 'no newline');
    const lines = appLines(harness, spec);
    assert.deepEqual(lines.slice(0, 3), ['a\ufffd\ufffdb', 'grüße 日本', '']);
    assert.equal(lines[3]?.length, 64 * 1024);
    assert.equal((lines[3] ?? '') + (lines[4] ?? ''), 'x'.repeat(70_000));
    assert.equal(lines[5], 'no newline');
    await harness.engine.remove(spec.id);
  });

  test('a burst is complete and in order', async (t) => {
    const harness = current();
    if (!harness.real) return t.skip('optional: nothing prints here');
    const count = 100_000;
    const spec = specFor(harness, 'burst.js', [String(count)]);
    await harness.engine.start(spec);
    await untilState(harness.engine, spec.id, 'exited');
    await until('the last line', () => appLines(harness, spec).length >= count);
    const lines = appLines(harness, spec);
    assert.equal(lines.length, count);
    assert.ok(lines.every((line, index) => line === `line ${index}`));
    await harness.engine.remove(spec.id);
  });

  test('environment values arrive byte for byte, awkward names included', async (t) => {
    const harness = current();
    if (!harness.real) return t.skip('optional: nothing reads an environment here');
    const every = Array.from({ length: 0x2ff }, (_, index) => String.fromCodePoint(index + 1)).join('');
    const values: Record<string, string> = {
      EVERY: `${every}\u{1f600}`,
      QUOTES: `'"\`$(id)\\'\n\n`,
      EMPTY: '',
      IFS: ' 1',
      OPTIND: 'x',
      LONG: 'y'.repeat(100_000),
    };
    const environment = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, new Secret(value)]));
    const spec = specFor(harness, 'hex.js', Object.keys(values), { environment });
    await harness.engine.start(spec);
    const { exit } = await untilState(harness.engine, spec.id, 'exited');
    assert.equal(exit?.code, 0);
    const wanted = Object.entries(values).map(([name, value]) => `${name}=${Buffer.from(value).toString('hex')}`);
    const said = (): string => appLines(harness, spec).join('');
    await until('all of them', () => said().length >= wanted.join('').length);
    assert.deepEqual(said().split(/(?=EVERY=|QUOTES=|EMPTY=|IFS=|OPTIND=|LONG=)/), wanted);
    await harness.engine.remove(spec.id);
  });
}
