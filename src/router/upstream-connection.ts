/**
 * One connection to an instance. Parses responses one after another and hands their parts to the exchange that uses it; knows nothing of
 * clients. Bytes it hands over are valid only during the call, because all connections read into one buffer.
 */
import { connect, type Socket } from 'node:net';
import { ChunkScanner } from './chunk-scanner.ts';
import type { RouterLimits } from './limits.ts';
import { parseResponseHead, type ResponseHead } from './response-head.ts';

/** Who gets the parts of a response. */
export interface ResponseSink {
  /** Connected, or an idle connection: the request may be written. */
  onConnected(): void;
  /** 1xx other than 101. */
  onInterim(head: ResponseHead): void;
  /** The final head (or 101) with the first bytes after it that belong to the response. */
  onHead(head: ResponseHead, body: Buffer, scanner: ChunkScanner | null): void;
  onBody(body: Buffer, scanner: ChunkScanner | null): void;
  onResponseEnd(): void;
  /** More may be written after a write that gave false. */
  onUpstreamDrain(): void;
  /** Tunnels only: the instance sent its end. */
  onUpstreamHalfClose(): void;
  /** The connection failed before the response ended. */
  onUpstreamFailure(failure: UpstreamFailure): void;
}

/** `refused`: never connected. `closed`: ended too early. `malformed`: what it sent is no HTTP response. */
/** `unreachable`: nothing answered, or a machine on the way said that there is no way. */
export type UpstreamFailure = 'refused' | 'unreachable' | 'closed' | 'malformed';

const sharedBuffer = Buffer.allocUnsafeSlow(64 * 1024);
const noBytes = Buffer.alloc(0);
const noWay: ReadonlySet<string> = new Set(['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ETIMEDOUT']);

type State = 'connecting' | 'idle' | 'head' | 'length' | 'chunked' | 'until-close' | 'tunnel' | 'dead';

export class UpstreamConnection {
  /** When it became idle and until when it may be used, monotonic milliseconds. */
  idleSinceMs = 0;
  expiresMs = 0;
  /** How long the instance says it keeps idle connections, less a margin; Infinity when it says nothing. */
  hintedIdleMs = Number.POSITIVE_INFINITY;
  /** Served at least one response before. */
  reused = false;
  bytesRead = 0;
  readonly #socket: Socket;
  readonly #limits: RouterLimits;
  readonly #onGone: (connection: UpstreamConnection) => void;
  #state: State = 'connecting';
  #sink: ResponseSink | null = null;
  #bodiless = false;
  #keepAlive = true;
  #partial = '';
  #remaining = 0;
  #scanner: ChunkScanner | null = null;
  #decode = false;

  constructor(host: string, port: number, limits: RouterLimits, onGone: (connection: UpstreamConnection) => void) {
    this.#limits = limits;
    this.#onGone = onGone;
    this.#socket = connect({
      host,
      port,
      noDelay: true,
      allowHalfOpen: true,
      onread: { buffer: sharedBuffer, callback: (length, buffer) => this.#onBytes(buffer as Buffer, length) },
    });
    let reason: UpstreamFailure = 'refused';
    const timer = setTimeout(() => this.#fail('unreachable'), limits.connectTimeoutMs);
    this.#socket.once('connect', () => {
      clearTimeout(timer);
      if (this.#state !== 'connecting') return;
      this.#state = 'idle';
      this.#sink?.onConnected();
    });
    this.#socket.on('drain', () => this.#sink?.onUpstreamDrain());
    this.#socket.on('end', () => this.#onEnd());
    this.#socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (code !== undefined && noWay.has(code)) reason = 'unreachable';
    });
    this.#socket.on('close', () => {
      clearTimeout(timer);
      this.#fail(this.#state === 'connecting' ? reason : 'closed');
    });
  }

  get isUsable(): boolean {
    return this.#state === 'idle';
  }

  /** Makes `sink` the user; `onConnected` follows at once on an idle connection. */
  use(sink: ResponseSink): void {
    this.#sink = sink;
    if (this.#state === 'idle') sink.onConnected();
  }

  /**
   * Sends a request head. `bodiless`: the response has no body (HEAD). `decode`: the client needs a chunked body's payload apart.
   * Gives false when the body should wait for onUpstreamDrain.
   */
  sendHead(head: string, bodiless: boolean, decode: boolean): boolean {
    this.#state = 'head';
    this.#bodiless = bodiless;
    this.#decode = decode;
    this.#keepAlive = true;
    this.#partial = '';
    return this.#socket.write(head, 'latin1');
  }

  /** Sends bytes of the request's body, or of a tunnel. */
  write(bytes: Buffer): boolean {
    return this.#socket.write(bytes);
  }

  /** The client ended its side of a tunnel. */
  end(): void {
    this.#socket.end();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Closes without telling the sink. */
  destroy(): void {
    this.#sink = null;
    this.#state = 'dead';
    this.#socket.destroy();
  }

  #onBytes(buffer: Buffer, length: number): boolean {
    this.bytesRead += length;
    if (this.#state === 'head') return this.#readHead(buffer, length);
    if (this.#state === 'idle' || this.#sink === null) {
      // Bytes nobody asked for: whatever they are, the next response could not be trusted.
      this.#fail('malformed');
      return true;
    }
    return this.#readBody(buffer.subarray(0, length));
  }

  #readHead(buffer: Buffer, length: number): boolean {
    let text = buffer.toString('latin1', 0, Math.min(length, this.#limits.headBytes));
    let carried = 0;
    if (this.#partial !== '') {
      carried = this.#partial.length;
      text = this.#partial + text;
    }
    const head = parseResponseHead(text, this.#limits);
    if (head === 'malformed') {
      this.#fail('malformed');
      return true;
    }
    if (head === null) {
      this.#partial = text;
      return true;
    }
    this.#partial = '';
    const rest = buffer.subarray(head.bytes - carried, length);
    if (head.status < 200 && head.status !== 101) {
      this.#sink?.onInterim(head);
      return rest.length === 0 || this.#state !== 'head' ? true : this.#readHead(Buffer.from(rest), rest.length);
    }
    return this.#beginBody(head, rest);
  }

  #beginBody(head: ResponseHead, rest: Buffer): boolean {
    const sink = this.#sink;
    if (sink === null) return true;
    this.#keepAlive = head.keepAlive;
    if (head.keepAliveMs >= 0) this.hintedIdleMs = Math.max(0, head.keepAliveMs - 1000);
    this.#scanner = null;
    if (head.status === 101) {
      this.#state = 'tunnel';
      sink.onHead(head, rest, null);
      return true;
    }
    if (this.#bodiless || head.status === 204 || head.status === 304 || head.contentLength === 0) {
      sink.onHead(head, noBytes, null);
      this.#finish(rest.length);
      return true;
    }
    let body = rest;
    let done = false;
    if (head.chunked) {
      this.#state = 'chunked';
      this.#scanner = new ChunkScanner(this.#decode);
      const end = this.#scanner.scan(rest, 0, rest.length);
      if (end === -1) {
        this.#fail('malformed');
        return true;
      }
      body = rest.subarray(0, end);
      done = this.#scanner.done;
    } else if (head.contentLength > 0) {
      this.#state = 'length';
      body = rest.subarray(0, head.contentLength);
      this.#remaining = head.contentLength - body.length;
      done = this.#remaining === 0;
    } else this.#state = 'until-close';
    sink.onHead(head, body, this.#scanner);
    if (done && this.#sink === sink) this.#finish(rest.length - body.length);
    return true;
  }

  #readBody(bytes: Buffer): boolean {
    const sink = this.#sink;
    if (sink === null) return true;
    if (this.#state === 'length') {
      const body = bytes.length > this.#remaining ? bytes.subarray(0, this.#remaining) : bytes;
      this.#remaining -= body.length;
      sink.onBody(body, null);
      if (this.#remaining === 0 && this.#sink === sink) this.#finish(bytes.length - body.length);
    } else if (this.#state === 'chunked' && this.#scanner !== null) {
      const end = this.#scanner.scan(bytes, 0, bytes.length);
      if (end === -1) {
        this.#fail('malformed');
        return true;
      }
      sink.onBody(bytes.subarray(0, end), this.#scanner);
      if (this.#scanner.done && this.#sink === sink) this.#finish(bytes.length - end);
    } else sink.onBody(bytes, null);
    return true;
  }

  /** The response is over; `extra` bytes came after it that belong to nothing. */
  #finish(extra: number): void {
    const sink = this.#sink;
    this.#sink = null;
    this.#scanner = null;
    this.reused = true;
    if (this.#keepAlive && extra === 0) this.#state = 'idle';
    else this.destroy();
    sink?.onResponseEnd();
  }

  #onEnd(): void {
    if (this.#state === 'tunnel') this.#sink?.onUpstreamHalfClose();
    else if (this.#state === 'until-close') {
      this.#keepAlive = false;
      this.#finish(0);
    } else this.#fail('closed');
  }

  #fail(failure: UpstreamFailure): void {
    if (this.#state === 'dead') return;
    this.#state = 'dead';
    const sink = this.#sink;
    this.#sink = null;
    this.#socket.destroy();
    this.#onGone(this);
    sink?.onUpstreamFailure(failure);
  }
}
