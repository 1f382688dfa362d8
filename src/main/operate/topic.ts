/**
 * What an operator's command is made of: `berth <topic> <verb> <arguments> <options>`. A topic's file declares its verbs with their options
 * and says what each does; the frame in operate.ts parses, opens the install, runs and prints.
 */
import type { ParseArgsOptionsConfig } from 'node:util';
import type { CoreContext } from '../../core/ports/core-context.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Settings } from '../settings.ts';

/** The install that is operated on: its database and key. Services are made of `context`; the actor is the platform itself. */
export interface Install {
  readonly context: CoreContext;
  readonly settings: Settings;
  readonly logger: Logger;
}

export interface Call {
  readonly install: Install;
  /** The text of an argument that the verb declares. */
  argument(name: string): string;
  /** The text of an option, or null where it was not given. */
  option(name: string): string | null;
  /** All texts of an option that may be given several times. */
  options(name: string): readonly string[];
  flag(name: string): boolean;
  /** Tells the person who waits how far it is; goes to standard error. */
  say(text: string): void;
  /** Aborts when the person no longer waits. */
  readonly signal: AbortSignal;
}

/** What is printed: the text for people, or the value with `--json`. */
export interface Answer {
  readonly text: string;
  readonly json: unknown;
}

export interface Verb {
  /** One line: what it does. */
  readonly about: string;
  /** Names of what follows the verb, all required, in order. */
  readonly arguments: readonly string[];
  /** Beside `--json`, which every verb has. */
  readonly options: ParseArgsOptionsConfig;
  /** How the options are shown in the usage, e.g. `[--pool POOL]`. */
  readonly usage: string;
  run(call: Call): Promise<Answer>;
}

export interface Topic {
  readonly verbs: Readonly<Record<string, Verb>>;
}
