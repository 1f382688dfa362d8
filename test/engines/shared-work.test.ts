/** Work that several wait for: once, for as long as somebody does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedWork } from '../../src/engines/docker/images/shared-work.ts';

/** Work that ends when it is told to, and knows whether it is wanted. */
function someWork() {
  const begun: { signal: AbortSignal; finish: (word: string) => void }[] = [];
  const work = (signal: AbortSignal): Promise<string> =>
    new Promise((resolve, reject) => {
      begun.push({ signal, finish: resolve });
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  return { begun, work };
}

test('who comes meanwhile waits for the same; each may leave, and it ends with the last', async () => {
  const shared = new SharedWork<string>();
  const { begun, work } = someWork();
  const [one, other] = [new AbortController(), new AbortController()];
  const waiting = [one, other].map(({ signal }) => shared.wait('key', signal, work));
  assert.equal(begun.length, 1);
  one.abort(new Error('enough'));
  await assert.rejects(waiting[0] ?? assert.fail(), /enough/);
  assert.equal(begun[0]?.signal.aborted, false);
  other.abort(new Error('enough too'));
  await assert.rejects(waiting[1] ?? assert.fail(), /enough too/);
  assert.equal(begun[0]?.signal.aborted, true);
  await assert.rejects(shared.wait('key', one.signal, work), /enough/);
  assert.equal(begun.length, 1);
});

test('what was given up is begun anew by whoever comes next, and what is over as well', async () => {
  const shared = new SharedWork<string>();
  const { begun, work } = someWork();
  const left = new AbortController();
  const first = shared.wait('key', left.signal, work);
  left.abort(new Error('enough'));
  await assert.rejects(first, /enough/);
  const stays = new AbortController().signal;
  const second = shared.wait('key', stays, work);
  assert.equal(begun.length, 2);
  const third = shared.wait('key', stays, work);
  begun[1]?.finish('done');
  assert.deepEqual(await Promise.all([second, third]), ['done', 'done']);
  const fourth = shared.wait('key', stays, work);
  assert.equal(begun.length, 3);
  begun[2]?.finish('again');
  assert.equal(await fourth, 'again');
  await assert.rejects(
    shared.wait('key', stays, () => Promise.reject(new Error('no'))),
    /no/,
  );
});
