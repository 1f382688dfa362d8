/** An exec as a client sees it: a request on a connection of its own, whose bytes are then the command's. */
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

export interface ExecCall {
  readonly port: number;
  /** Null: none is sent. */
  readonly token: string | null;
  readonly instance: string;
  readonly org?: string;
  readonly body: unknown;
  /** Further lines of the head, e.g. those of an upgrade. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: string;
  /** Bytes that are sent in one write with the request. */
  readonly early?: string | Buffer;
}

export interface ExecAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly socket: Socket;
  /** What came after the head, so far. */
  output(): Buffer;
  /** Resolves with all of it when the server has ended the connection. */
  readonly ended: Promise<Buffer>;
}

export const upgradeHeaders = { connection: 'Upgrade', upgrade: 'tcp' };

/** Resolves with the head of the answer. The connection closes when the test ends. */
export function exec(t: Pick<TestContext, 'after'>, call: ExecCall): Promise<ExecAnswer> {
  const socket = connect({ port: call.port, host: '127.0.0.1', allowHalfOpen: true });
  t.after(() => socket.destroy());
  socket.write(requestOf(call));
  return new Promise((resolve, reject) => {
    let received: Buffer[] = [];
    let answered = false;
    const ended = Promise.withResolvers<Buffer>();
    ended.promise.catch(() => {});
    const output = (): Buffer => {
      const whole = Buffer.concat(received);
      received = [whole];
      return whole;
    };
    socket.on('data', (chunk: Buffer) => {
      received.push(chunk);
      if (answered) return;
      const head = output();
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      answered = true;
      received = [head.subarray(end + 4)];
      resolve({ ...parseHead(head.toString('latin1', 0, end)), socket, output, ended: ended.promise });
    });
    socket.once('end', () => ended.resolve(output()));
    socket.once('error', (error) => {
      reject(error);
      ended.reject(error);
    });
    socket.once('close', () => reject(new Error('the connection closed before an answer')));
  });
}

function requestOf({ token, instance, org, body, headers, query, early }: ExecCall): Buffer {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const all = {
    host: 'localhost',
    ...(token === null ? {} : { authorization: `giantswarm ${token}` }),
    'content-type': 'text/plain',
    'content-length': String(Buffer.byteLength(text)),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const path = `/v1/org/${org ?? 'main'}/instance/${instance}/exec${query ?? ''}`;
  return Buffer.concat([
    Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n${text}`),
    Buffer.from(early ?? ''),
  ]);
}

function parseHead(head: string): Pick<ExecAnswer, 'status' | 'headers'> {
  const [first = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { status: Number(first.split(' ')[1]), headers: Object.fromEntries(headers) };
}

/** The two outputs of Docker's multiplexed stream. Throws for what is none. */
export function demultiplexed(bytes: Buffer): { readonly stdout: Buffer; readonly stderr: Buffer } {
  const outputs = { 1: [] as Buffer[], 2: [] as Buffer[] };
  for (let at = 0; at < bytes.length; ) {
    const stream = bytes.readUInt8(at);
    if ((stream !== 1 && stream !== 2) || bytes.readUIntBE(at + 1, 3) !== 0) throw new Error(`no frame at ${at}`);
    const length = bytes.readUInt32BE(at + 4);
    const piece = bytes.subarray(at + 8, at + 8 + length);
    if (piece.length < length || length === 0) throw new Error(`a frame of ${length} bytes at ${at} is cut short`);
    outputs[stream].push(piece);
    at += 8 + length;
  }
  return { stdout: Buffer.concat(outputs[1]), stderr: Buffer.concat(outputs[2]) };
}
