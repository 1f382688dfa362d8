/** Signals as Docker writes them, and as exit codes tell them. Pure. */
import { constants } from 'node:os';

/** Signals that a program raises by crashing, never by choice. */
export const crashes = new Set(['SIGILL', 'SIGTRAP', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGSEGV', 'SIGSYS']);
const byNumber = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));
byNumber.set(constants.signals.SIGABRT, 'SIGABRT');
const codeOfSignal = 128;
export const killedCode = codeOfSignal + constants.signals.SIGKILL;
const last = 64;
/** Signals that have a number only, counted from either end. Source: glibc's numbers, which Docker takes as well. */
const realTime = /^SIGRTM(?:IN|AX)(?:[+-]\d{1,2})?$/;

/** The signal behind a shell's exit code; null for an ordinary code. */
export const signalOfCode = (code: number): string | null =>
  code > codeOfSignal ? (byNumber.get(code - codeOfSignal) ?? null) : null;

/**
 * The name of the signal that an image asks for by STOPSIGNAL: a name, with SIG or without, or a number. SIGTERM where it says none, or
 * what is no signal here.
 */
export function stopSignal(said = ''): string {
  const word = said.trim().toUpperCase();
  const number = Number(word);
  if (/^\d+$/.test(word)) return byNumber.get(number) ?? (number > 0 && number <= last ? word : 'SIGTERM');
  const name = word.startsWith('SIG') ? word : `SIG${word}`;
  return name in constants.signals || realTime.test(name) ? name : 'SIGTERM';
}
