/** Decides how an instance ended, from what Docker says and what the engine did to it. Pure. */
import type { InstanceExit } from '../../core/ports/engine.ts';
import type { ContainerState } from './api/shapes.ts';
import type { Identity } from './identity.ts';
import { crashes, killedCode, signalOfCode } from './signals.ts';

/**
 * Whether its main process died at its limit of memory. Docker says of a container only that some process of it did, whatever became of the
 * others.
 */
export const diedOfMemory = ({ OOMKilled, ExitCode }: ContainerState, sent: string | null): boolean =>
  OOMKilled && ExitCode === killedCode && sent !== 'SIGKILL';

/**
 * Docker tells a signal only as 128 and its number, which a program may as well have chosen: it counts as one when the engine sent it, the
 * kernel did for memory, or it is a crash. `sent` is what the engine sent last.
 */
export function exitOf(state: ContainerState, identity: Identity, sent: string | null): InstanceExit {
  const at = dateOf(state.FinishedAt) ?? new Date(0);
  if (state.Status === 'created' || neverRan(state)) {
    return {
      code: null,
      signal: null,
      outOfMemory: false,
      timedOut: false,
      startError: startErrorOf(state.Error),
      at,
    };
  }
  const outOfMemory = diedOfMemory(state, sent);
  const likely = signalOfCode(state.ExitCode);
  const isSignal = likely !== null && (likely === sent || crashes.has(likely) || outOfMemory);
  const timedOut = sent !== null && identity.deadline !== null && at >= new Date(identity.deadline);
  return {
    code: isSignal ? null : state.ExitCode,
    signal: isSignal ? likely : null,
    outOfMemory,
    timedOut,
    startError: null,
    at,
  };
}

/** Docker keeps the reason of a failed start with a code of its own. */
const neverRan = ({ Error: reason, StartedAt }: ContainerState): boolean => reason !== '' && dateOf(StartedAt) === null;

/** Without the words of the layers that passed it on. */
function startErrorOf(reason: string): string {
  const last = /(?:exec: |starting container process caused: )(.+?)(?:: unknown)?$/s.exec(reason)?.[1];
  return last ?? (reason === '' ? 'it could not be started' : reason);
}

/** Docker's zero time is the year 1. */
export function dateOf(text: string): Date | null {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) || at.getUTCFullYear() < 1970 ? null : at;
}
