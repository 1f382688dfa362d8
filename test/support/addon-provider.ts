/** Somebody's add-on service, as small as one can be: it keeps what it is asked, and answers what a test says. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export interface ProviderCall {
  readonly method: string;
  readonly path: string;
  readonly authorization: string;
  readonly key: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface ProviderReply {
  readonly status: number;
  readonly body?: unknown;
}

export interface TestProvider {
  /** What its manifest calls `base_url`. */
  readonly url: string;
  readonly calls: ProviderCall[];
  answer: (call: ProviderCall) => ProviderReply;
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

export async function startProvider(t: Pick<TestContext, 'after'>): Promise<TestProvider> {
  const provider: TestProvider = {
    url: '',
    calls: [],
    answer: ({ method }) => (method === 'DELETE' ? { status: 204 } : { status: 201 }),
  };
  const server = createServer(async (request, response) => {
    const text = await read(request);
    const call: ProviderCall = {
      method: request.method ?? '',
      path: request.url ?? '',
      authorization: request.headers.authorization ?? '',
      key: String(request.headers['idempotency-key']),
      body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
    };
    provider.calls.push(call);
    const { status, body } = provider.answer(call);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(body === undefined ? '' : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return Object.assign(provider, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/resources` });
}
