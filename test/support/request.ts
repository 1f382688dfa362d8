import { request } from 'node:http';
import type { TestPlatform } from './platform.ts';

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: NodeJS.Dict<string | string[]>;
}

/** One request to an app through the router, on a connection of its own. */
export function ask(
  platform: Pick<TestPlatform, 'routerPort' | 'hostOf'>,
  handle: string,
  path = '/',
  timeoutMs = 30_000,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request({
      host: '127.0.0.1',
      port: platform.routerPort,
      path,
      headers: { host: platform.hostOf(handle) },
      agent: false,
      timeout: timeoutMs,
    });
    call.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          body: Buffer.concat(chunks).toString('utf8'),
          headers: response.headers,
        }),
      );
      response.once('error', reject);
    });
    call.once('error', reject);
    call.once('timeout', () => call.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    call.end();
  });
}
