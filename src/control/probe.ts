/** Asks an instance whether it is ready: an HTTP path, or a TCP accept. Addresses come from the engine, never from a user. */
import { request } from 'node:http';
import { connect } from 'node:net';

export interface ProbeTarget {
  readonly host: string;
  readonly port: number;
  /** Null: an accepted connection is enough. */
  readonly path: string | null;
}

const PROBE_TIMEOUT_MS = 5_000;

/** True when it accepts (and, with a path, answers 200 to 399). Never rejects. */
export function probe(target: ProbeTarget): Promise<boolean> {
  return target.path === null ? accepts(target) : answers(target, target.path);
}

function accepts({ host, port }: ProbeTarget): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: PROBE_TIMEOUT_MS });
    const end = (ready: boolean): void => {
      socket.destroy();
      resolve(ready);
    };
    socket
      .once('connect', () => end(true))
      .once('error', () => end(false))
      .once('timeout', () => end(false));
  });
}

function answers({ host, port }: ProbeTarget, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request({
      host,
      port,
      path,
      timeout: PROBE_TIMEOUT_MS,
      headers: { 'user-agent': 'berth-health-check', connection: 'close' },
    });
    call.once('response', (response) => {
      response.resume();
      const status = response.statusCode ?? 0;
      resolve(status >= 200 && status < 400);
    });
    call.once('error', () => resolve(false)).once('timeout', () => call.destroy(new Error('too slow')));
    call.end();
  });
}
