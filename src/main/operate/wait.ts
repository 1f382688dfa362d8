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

/**
 * The operation as it is now, or with `--wait` when it has ended. Throws conflict when it did not succeed, `unavailable` when the time is over;
 * what was asked for goes on then.
 */
export async function settled(call: Call, moves: MoveService, operation: Operation): Promise<Operation> {
  const seconds = secondsOf(call.option('timeout'));
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

function secondsOf(text: string | null): number {
  if (text === null) return DEFAULT_SECONDS;
  if (!/^\d{1,6}$/.test(text))
    throw new BerthError('invalid', '--timeout is a number of seconds', { field: 'timeout' });
  return Number(text);
}

function wordsOf({ operation, left, message }: MoveProgress): string {
  const work = operation.kind === 'node-add' ? 'joining' : `${left} ${left === 1 ? 'instance' : 'instances'} to go`;
  return message === null ? work : `${work}: ${onOneLine(message)}`;
}
