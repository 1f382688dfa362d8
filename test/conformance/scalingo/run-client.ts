/** The client's side of an attached one-off: `CONNECT` with a path, and the connection as a terminal. */
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { until } from '../../support/until.ts';
import { basic } from './served.ts';

export interface Attached {
  readonly status: number;
  readonly socket: Socket;
  /** Bytes that came together with the head of the answer: clients throw them away. */
  readonly withHead: number;
  output(): Buffer;
  /** Waits until the output so far matches. */
  says(pattern: RegExp): Promise<void>;
  readonly closed: Promise<void>;
}

export function attach(t: { after(work: () => void): void }, attachUrl: string, token: string): Promise<Attached> {
  const { hostname, port, pathname, host } = new URL(attachUrl);
  return new Promise((resolve, reject) => {
    const call = request({
      host: hostname,
      port,
      method: 'CONNECT',
      path: pathname,
      headers: { host, authorization: basic(token) },
      agent: false,
    });
    call.once('error', reject);
    call.once('connect', (response, socket, head) => {
      let output = Buffer.from(head);
      socket.on('data', (chunk: Buffer) => {
        output = Buffer.concat([output, chunk]);
      });
      const closed = new Promise<void>((done) => socket.once('close', () => done()));
      socket.on('error', () => {});
      t.after(() => socket.destroy());
      resolve({
        status: response.statusCode ?? 0,
        socket: socket as Socket,
        withHead: head.length,
        output: () => output,
        says: async (pattern) => {
          await until(`it says ${pattern}`, () => pattern.test(output.toString('utf8')), 20_000).catch(
            (error: unknown) => {
              throw new Error(`${String(error)}; it said ${JSON.stringify(output.toString('utf8').slice(-500))}`);
            },
          );
        },
        closed,
      });
    });
    call.end();
  });
}
