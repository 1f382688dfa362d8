/** `--wait`: says how far an operation is until it has ended. */

import { setTimeout as delay } from 'node:timers/promises';
import type { ParseArgsOptionsConfig } from 'node:util';
import { systemActor } from '../../core/access/actor.ts';
import { BerthError } from '../../core/errors.ts';
import type { MoveProgress, MoveService } from '../../core/nodes/move-service.ts';
import type { Operation } from '../../core/operations/operation.ts';
import { onOneLine } from './table.ts';
import type { Call } from './topic.ts';

const EVERY_MS = 250;
const DEFAULT_SECONDS = 600;

export const waitOptions = { wait: { type: 'boolean' }, timeout: { type: 'string' } } satisfies ParseArgsOptionsConfig;
export const waitUsage = '[--wait [--timeout SECONDS]]';

/** How long `--wait` waits, in seconds; to be asked before anything is done. Throws invalid. */
export function patienceOf(call: Call): number {
  const text = call.option('timeout');
  if (text === null) return DEFAULT_SECONDS;
  if (!/^\d{1,6}$/.test(text))
    throw new BerthError('invalid', '--timeout is a number of seconds', { field: 'timeout' });
  return Number(text);
}

/**
 * The operation as it is now, or with `--wait` when it has ended. Throws conflict when it did not succeed, `unavailable` after `seconds`; what was
 * asked for goes on then.
 */
export async function settled(
  call: Call,
  moves: MoveService,
  seconds: number,
  operation: Operation,
): Promise<Operation> {
  if (!call.flag('wait')) return operation;
  const end = performance.now() + seconds * 1_000;
  let said = '';
  for (;;) {
    const progress = await moves.progress(systemActor, operation.id);
    const { status, error } = progress.operation;
    if (status === 'succeeded') return progress.operation;
    if (status !== 'queued' && status !== 'running')
      throw new BerthError('conflict', `it ended without success: ${error ?? status}`, { code: 'operation-ended' });
    const words = wordsOf(progress);
    if (words !== said) call.say(words);
    said = words;
    if (performance.now() > end)
      throw new BerthError('unavailable', `not done after ${seconds} s (${words}); it goes on`);
    await delay(EVERY_MS, undefined, { signal: call.signal }).catch(() => call.signal.throwIfAborted());
  }
}

function wordsOf({ operation, left, message }: MoveProgress): string {
  const work = operation.kind === 'node-add' ? 'joining' : `${left} ${left === 1 ? 'instance' : 'instances'} to go`;
  if (message === null) return work;
  return left === 0 && operation.kind !== 'node-add' ? onOneLine(message) : `${work}: ${onOneLine(message)}`;
}
