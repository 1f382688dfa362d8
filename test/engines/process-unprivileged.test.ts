// test-timeout: 300
/** The conformance suite once more as a user without rights: what isolation the machine leaves to such a one must hold too. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../../src/lib/exec.ts';

const nobody = 65_534;

test('the suite passes without root', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('optional: the other tests run without root already');
  const environment = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/tmp' };
  const file = join(import.meta.dirname, 'process-auto.test.ts');
  const as = { environment, uid: nobody, gid: nobody, timeoutMs: 280_000 };
  const readable = await run([process.execPath, '--check', file], as).catch(() => null);
  if (readable?.code !== 0) return t.skip('optional: this checkout is not readable for other users');
  const result = await run([process.execPath, '--test', file], as);
  assert.equal(result.code, 0, result.stdout);
});
