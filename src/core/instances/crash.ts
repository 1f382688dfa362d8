import type { InstanceExit } from '../ports/engine.ts';

/** It never ran: no node would take it, or what it runs is not to be had. */
export const START_FAILURE = 'start-failure';

export interface Crash {
  /** H10 crashed, R15 out of memory, start-failure, H20 boot timeout. */
  readonly code: string;
  /** For the app's owner, without log lines. */
  readonly message: string;
}

/** Names why an instance ended by itself, as Akkeris' and Heroku's codes do. */
export function nameCrash(exit: InstanceExit, memoryLimitBytes: number): Crash {
  if (exit.startError !== null) return { code: START_FAILURE, message: `could not be started: ${exit.startError}` };
  if (exit.outOfMemory)
    return {
      code: 'R15',
      message: `killed: used more than its ${Math.round(memoryLimitBytes / 1024 / 1024)} MiB of memory`,
    };
  if (exit.signal !== null) return { code: 'H10', message: `crashed: killed by ${exit.signal}` };
  return { code: 'H10', message: exit.code === null ? 'crashed' : `crashed: exited with status ${exit.code}` };
}

export const bootTimeout = (timeoutMs: number, port: number | null): Crash => ({
  code: 'H20',
  message: `did not become healthy within ${Math.round(timeoutMs / 1000)} s${port === null ? '' : `: nothing answered on $PORT (${port})`}`,
});
