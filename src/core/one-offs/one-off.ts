/** A command that runs beside an app's processes, once, with the app's artifact and config. */
import type { Id } from '../names.ts';
import type { EngineInstance, InstanceExit } from '../ports/engine.ts';
import type { Environment } from '../ports/secret.ts';

/** Its lines in the app's log are of this process; the seat is its number. */
export const ONE_OFF = 'one-off';

export interface CreateOneOff {
  readonly command: string | readonly string[];
  /** Whose image it runs; none named: the app's own build, or the first process's image. */
  readonly processType?: string;
  /** By id or name; none: the platform's default. */
  readonly size?: string;
  /**
   * Detached: starts at once, without stdin, and prints to the app's log. Attached: starts when somebody attaches, who gets its output; one
   * that nobody attaches to is cancelled.
   */
  readonly detached: boolean;
  readonly environment?: Environment;
}

export interface OneOff {
  readonly id: string;
  readonly appId: Id<'app'>;
  /** From 1; no two of an app that are there at the same time have the same. */
  readonly number: number;
  /** Null when it was started through another server. */
  readonly command: string | null;
  readonly sizeId: string;
  readonly state: 'waiting' | EngineInstance['state'];
  readonly createdAt: Date;
  readonly exit: InstanceExit | null;
}

const form = /^one-off (\d+) (\S+)$/;

/** What the engine keeps of a one-off for the platform, in the place where an instance has its generation. */
export const oneOffGeneration = (number: number, sizeId: string): string => `one-off ${number} ${sizeId}`;

/** Null for an instance that is none. */
export function oneOffOf(instance: EngineInstance): OneOff | null {
  if (instance.kind !== 'one-off') return null;
  const [, number, sizeId] = form.exec(instance.generation) ?? [];
  const { id, appId, state, startedAt, exit } = instance;
  const createdAt = startedAt ?? exit?.at ?? new Date(0);
  return { id, appId, number: Number(number ?? 0), command: null, sizeId: sizeId ?? '', state, createdAt, exit };
}
