import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isBootOver } from '../../src/control/reconciler/boot-time.ts';

const at = (seconds: number): Date => new Date(1_780_000_000_000 + seconds * 1_000);
const row = { createdAt: at(0) };

test('an instance has its time from its start on, however long its image took to come', () => {
  const over = (state: 'starting' | 'running', started: number | null, now: number): boolean =>
    isBootOver(row, { state, startedAt: started === null ? null : at(started) }, 60_000, at(now));
  assert.equal(over('running', 1, 59), false);
  assert.equal(over('running', 1, 61), true);
  assert.equal(over('starting', null, 600), false);
  assert.equal(over('running', 600, 601), false);
  assert.equal(over('running', 600, 659), false);
  assert.equal(over('running', 600, 660), true);
  // Prepared for ever: something hangs.
  assert.equal(over('starting', null, 20 * 60), true);
  // A node's clock that is behind.
  assert.equal(over('running', -500, 59), false);
  assert.equal(over('running', -500, 60), true);
  assert.equal(over('running', null, 60), true);
});
