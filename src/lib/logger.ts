/**
 * Structured logs of the platform itself: one JSON line each, or readable lines on a terminal. Secrets redact themselves by type
 * (see core/ports/secret.ts); request and operation ids are bound by `child`.
 */
import { createRequire } from 'node:module';
import { type Logger as Pino, pino } from 'pino';
import type pretty from 'pino-pretty';

export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Logger;
}

export interface LoggerOptions {
  /** Which process speaks: server, router, agent, berth. */
  readonly name: string;
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly readable: boolean;
}

/** Only terminals need it, so only they pay for it. */
const loadPretty = (): typeof pretty => createRequire(import.meta.url)('pino-pretty');

/** Logs go to stderr; stdout belongs to what a command prints for its caller. */
export function createLogger(options: LoggerOptions): Logger {
  const settings = { name: options.name, level: options.level, base: { name: options.name } };
  const target = options.readable
    ? loadPretty()({ colorize: process.stderr.isTTY, ignore: 'hostname', singleLine: true, destination: 2, sync: true })
    : pino.destination({ dest: 2, sync: true });
  const logger: Pino = pino(settings, target);
  return logger;
}

/** For tests and pure uses: says nothing. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silentLogger };
