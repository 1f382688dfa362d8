/**
 * One client's connection: finds the requests in its bytes, one at a time, gives their bodies to whoever answers, and writes the answers.
 * Knows nothing of apps or instances.
 */
import type { BlockList, Socket } from 'node:net';
import { BodyReader } from './body-reader.ts';
import { type ClientIdentity, identify } from './forwarded.ts';
import type { RouterLimits } from './limits.ts';
import { parseRequestHead, type RequestHead, RequestRefusal } from './request-head.ts';

/** Who answers a request. */
export interface RequestSink {
  onRequestBody(bytes: Buffer): void;
  onRequestEnd(): void;
  /** The rest of the request's body is malformed: the connection answers and closes by itself after this. */
  onRequestMalformed(): void;
  /** More may be written after a write that gave false. */
  onClientDrain(): void;
  /** Tunnels only: bytes, and the end of the client's side. */
  onTunnelBytes(bytes: Buffer): void;
  onClientHalfClose(): void;
  /** The client went away before the answer ended. */
  onClientGone(): void;
  /** Called now and then, to end what takes too long. */
  sweep(nowMs: number): void;
}

/** What a connection needs of its worker. */
export interface ClientHost {
  readonly limits: RouterLimits;
  readonly trusted: BlockList | null;
  /** Monotonic milliseconds, some tens of them old at most. */
  readonly nowMs: number;
  readonly stopping: boolean;
  /** Begins to answer a request; the sink is told to `client.begin` first. */
  onRequest(client: ClientConnection, head: RequestHead): void;
  /** A request that could not be read. */
  onRefusal(client: ClientConnection, refusal: RequestRefusal): void;
  onClosed(client: ClientConnection): void;
}

type State = 'head' | 'request' | 'tunnel' | 'lingering' | 'dead';

const heldLimit = 64 * 1024;
const smallBody = 4 * 1024;
const lingerMs = 2_000;

export class ClientConnection {
  readonly identity: ClientIdentity;
  /** Payload bytes of the present request's body so far. */
  get receivedBytes(): number {
    return this.#body?.payloadBytes ?? 0;
  }
  /** The whole body of the present request was handed on (or it has none). */
  get bodyDone(): boolean {
    return this.#body === null || this.#body.done;
  }
  readonly #socket: Socket;
  readonly #host: ClientHost;
  #state: State = 'head';
  #held: Buffer | null = null;
  #sink: RequestSink | null = null;
  #body: BodyReader | null = null;
  #flowing = false;
  #reading = false;
  #served = false;
  #sinceMs: number;

  constructor(socket: Socket, secure: boolean, host: ClientHost) {
    this.#socket = socket;
    this.#host = host;
    this.#sinceMs = host.nowMs;
    this.identity = identify(socket.remoteAddress ?? '', socket.localPort ?? 0, secure, host.trusted);
    socket.on('data', (bytes: Buffer) => this.#onBytes(bytes));
    socket.on('drain', () => {
      if (this.#state === 'head') this.#readHeads();
      else this.#sink?.onClientDrain();
    });
    socket.on('finish', () => {
      this.#sinceMs = host.nowMs;
    });
    socket.on('end', () => this.#onEnd());
    socket.on('error', () => {});
    socket.on('close', () => this.#onClose());
  }

  /** The request's bytes and the connection's fate go to `sink` until `finish`. */
  begin(sink: RequestSink): void {
    this.#sink = sink;
  }

  /** Lets the body flow to the sink, first what came already. */
  startBody(): void {
    this.#flowing = true;
    const held = this.#held;
    this.#held = null;
    if (held !== null) this.#feed(held);
    if (this.#flowing) this.#socket.resume();
  }

  pauseBody(): void {
    this.#flowing = false;
    this.#socket.pause();
  }

  /** Writes latin1 text, with the first bytes of a body when there are any. False: wait for onClientDrain. */
  writeHead(text: string, body: Buffer): boolean {
    if (body.length === 0) return this.#socket.write(text, 'latin1');
    if (body.length <= smallBody) return this.#socket.write(text + body.toString('latin1'), 'latin1');
    const bytes = Buffer.allocUnsafe(text.length + body.length);
    bytes.write(text, 0, 'latin1');
    bytes.set(body, text.length);
    return this.#socket.write(bytes);
  }

  /** Writes a copy of the bytes, which the caller may overwrite afterwards. */
  write(bytes: Buffer): boolean {
    if (bytes.length <= smallBody) return this.#socket.write(bytes.toString('latin1'), 'latin1');
    return this.#socket.write(Buffer.from(bytes));
  }

  /** From now on bytes go both ways unparsed; those that came early are handed over at once. */
  tunnel(): void {
    this.#state = 'tunnel';
    const held = this.#held;
    this.#held = null;
    if (held !== null) this.#sink?.onTunnelBytes(held);
    this.#socket.resume();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (this.#state === 'tunnel') this.#socket.resume();
    else if (!this.bodyDone && !this.#flowing) this.startBody();
  }

  /** Ends the router's side of a tunnel. */
  end(): void {
    this.#socket.end();
  }

  /** The answer is written. Goes on with the next request when `keepAlive` and this one's body is done, else closes in order. */
  finish(keepAlive: boolean): void {
    this.#sink = null;
    if (this.#state === 'dead') return;
    this.#served = true;
    this.#sinceMs = this.#host.nowMs;
    if (!keepAlive || !this.bodyDone) {
      this.#linger();
      return;
    }
    this.#state = 'head';
    this.#body = null;
    this.#readHeads();
  }

  /** Cuts the connection so that the client cannot take what it got for the whole. */
  reset(): void {
    this.#sink = null;
    if (this.identity.secure) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  /** Closes it when it waits for a request: the worker stops. */
  closeIfIdle(): void {
    if (this.#state === 'head' && this.#held === null) this.#linger();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  sweep(nowMs: number): void {
    const { headTimeoutMs, keepAliveMs } = this.#host.limits;
    if (this.#state === 'request' || this.#state === 'tunnel') this.#sink?.sweep(nowMs);
    else if (this.#state === 'lingering') {
      // What is not sent yet has as long as any body; once it is, the client has a moment to close.
      const allowedMs = this.#socket.writableFinished ? lingerMs : this.#host.limits.idleTimeoutMs;
      if (nowMs - this.#sinceMs > allowedMs) this.#socket.destroy();
    } else if (this.#state === 'head') {
      const waitedMs = nowMs - this.#sinceMs;
      if (this.#held !== null && waitedMs > headTimeoutMs)
        this.#refuse(new RequestRefusal(408, 'the request head took too long'));
      else if (this.#held === null && waitedMs > (this.#served ? keepAliveMs : headTimeoutMs)) this.#socket.destroy();
    }
  }

  #onBytes(bytes: Buffer): void {
    switch (this.#state) {
      case 'head': {
        const first = this.#held === null;
        if (first) this.#sinceMs = this.#host.nowMs;
        this.#hold(bytes);
        // A head can only become whole, or wrong, with a line feed or at its size limit.
        if (first || bytes.includes(10) || (this.#held?.length ?? 0) >= this.#host.limits.headBytes) this.#readHeads();
        if (this.#state === 'head' && (this.#held?.length ?? 0) > heldLimit) this.#socket.pause();
        break;
      }
      case 'request':
        if (this.#flowing && this.#held === null && !this.bodyDone) this.#feed(bytes);
        else {
          this.#hold(bytes);
          if ((this.#held?.length ?? 0) > heldLimit) this.#socket.pause();
        }
        break;
      case 'tunnel':
        this.#sink?.onTunnelBytes(bytes);
        break;
    }
  }

  #hold(bytes: Buffer): void {
    this.#held = this.#held === null ? bytes : Buffer.concat([this.#held, bytes]);
  }

  /** Reads head after head while each request is answered at once; never re-entered, so that a long pipeline costs no stack. */
  #readHeads(): void {
    if (this.#reading) return;
    this.#reading = true;
    // A client that sends requests without reading the answers waits for its own reading.
    while (this.#state === 'head' && this.#held !== null && !this.#socket.writableNeedDrain) {
      const held: Buffer = this.#held;
      const head = parseRequestHead(held, this.#host.limits);
      if (head === null) break;
      if (head instanceof RequestRefusal) {
        this.#refuse(head);
        break;
      }
      this.#held = head.bytes === held.length ? null : held.subarray(head.bytes);
      this.#state = 'request';
      this.#flowing = false;
      this.#body = BodyReader.of(head);
      this.#host.onRequest(this, head);
    }
    this.#reading = false;
    if (this.#state === 'head' && this.#held === null && this.#socket.isPaused()) this.#socket.resume();
  }

  #feed(bytes: Buffer): void {
    const body = this.#body;
    const sink = this.#sink;
    if (body === null || sink === null) return;
    const end = body.read(bytes);
    if (end === -1) {
      sink.onRequestMalformed();
      return;
    }
    if (end > 0) sink.onRequestBody(end === bytes.length ? bytes : bytes.subarray(0, end));
    if (end < bytes.length) this.#held = bytes.subarray(end);
    if (body.done && this.#sink === sink) sink.onRequestEnd();
  }

  #refuse(refusal: RequestRefusal): void {
    this.#state = 'request';
    this.#body = null;
    this.#host.onRefusal(this, refusal);
  }

  /** Sends the end and discards what still comes for a moment; closing at once could destroy the answer on its way. */
  #linger(): void {
    this.#state = 'lingering';
    this.#held = null;
    this.#sinceMs = this.#host.nowMs;
    this.#socket.end();
    this.#socket.resume();
  }

  #onEnd(): void {
    if (this.#state === 'tunnel') this.#sink?.onClientHalfClose();
    else if (this.#state !== 'lingering') this.#socket.destroy();
  }

  #onClose(): void {
    this.#state = 'dead';
    this.#held = null;
    const sink = this.#sink;
    this.#sink = null;
    this.#host.onClosed(this);
    sink?.onClientGone();
  }
}
