/** A small HTTP client for the platform's own APIs: what the CLI, the sample and tests speak through. */
export interface ClientOptions {
  /** e.g. `http://127.0.0.1:7702`. */
  readonly baseUrl: string;
  /** Sent as `Bearer`. */
  readonly token: string;
}

export class ClientError extends Error {
  readonly status: number;
  readonly body: string;
  constructor(method: string, path: string, status: number, body: string) {
    super(`${method} ${path} answered ${status}: ${body.slice(0, 500)}`);
    this.name = 'ClientError';
    this.status = status;
    this.body = body;
  }
}

const TIMEOUT_MS = 60_000;

export class Client {
  readonly #options: ClientOptions;
  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** The parsed JSON of a 2xx answer; rejects with ClientError otherwise. */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(new URL(path, this.#options.baseUrl), {
      method,
      headers: {
        authorization: `Bearer ${this.#options.token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new ClientError(method, path, response.status, text);
    return (text === '' ? null : JSON.parse(text)) as T;
  }

  get<T>(path: string): Promise<T> {
    return this.call('GET', path);
  }
  post<T>(path: string, body: unknown = {}): Promise<T> {
    return this.call('POST', path, body);
  }
  patch<T>(path: string, body: unknown): Promise<T> {
    return this.call('PATCH', path, body);
  }
  delete<T>(path: string): Promise<T> {
    return this.call('DELETE', path);
  }
}
