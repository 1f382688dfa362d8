/**
 * One request from its head to the end of its answer: chooses an instance, passes bytes both ways at the pace of the slower side, tries another
 * instance where that is safe, and accounts for what happened.
 */
import type { RouteBackend } from '../core/ports/router.ts';
import { Attempts } from './attempts.ts';
import type { ChunkScanner } from './chunk-scanner.ts';
import type { ClientConnection, RequestSink } from './client-connection.ts';
import { errorPage } from './error-page.ts';
import type { Failure } from './failures.ts';
import * as failures from './failures.ts';
import { forwardedLines, givenRequestId } from './forwarded.ts';
import { requestHeadText, responseHeadText } from './message-heads.ts';
import type { RequestHead } from './request-head.ts';
import { frameResponse } from './response-framing.ts';
import type { ResponseHead } from './response-head.ts';
import { match, rewriteTarget } from './table.ts';
import { Target } from './target.ts';
import type { ResponseSink, UpstreamConnection, UpstreamFailure } from './upstream-connection.ts';
import type { WorkerContext } from './worker-context.ts';

type Phase = 'choosing' | 'connecting' | 'waiting' | 'sent' | 'responding' | 'tunnel' | 'done';

export class Exchange implements RequestSink, ResponseSink {
  readonly #context: WorkerContext;
  readonly #client: ClientConnection;
  readonly #head: RequestHead;
  readonly #requestId: string;
  readonly #attempts: Attempts;
  readonly #startedMs: number;
  #backend: RouteBackend | null = null;
  #connection: UpstreamConnection | null = null;
  #phase: Phase = 'choosing';
  #path = '';
  #status = 0;
  #failure: Failure | null = null;
  #keepAlive = false;
  #decode = false;
  #sentBytes = 0;
  #connectingMs = 0;
  #connectedMs = 0;
  #activeMs: number;

  constructor(context: WorkerContext, client: ClientConnection, head: RequestHead) {
    this.#context = context;
    this.#client = client;
    this.#head = head;
    this.#startedMs = context.tick();
    this.#activeMs = this.#startedMs;
    this.#attempts = new Attempts(head, context.limits, context.balancer);
    this.#requestId = givenRequestId(client.identity, head.fields) ?? context.ids.id();
  }

  start(): void {
    const context = this.#context;
    const head = this.#head;
    const found = match(context.index, head.host, head.path);
    if (found === null) {
      this.#answer(failures.noSuchApp);
      return;
    }
    this.#backend = found.backend;
    context.counters.of(found.backend.appId).inFlight++;
    this.#path = rewriteTarget(found.route, head.target);
    const { bodyBytes } = context.limits;
    if (found.backend.mode === 'maintenance') this.#answer(failures.maintenance);
    else if (bodyBytes !== null && head.contentLength > bodyBytes) this.#answer(failures.bodyTooLarge);
    else this.#attempt();
  }

  #attempt(): void {
    const nowMs = this.#context.tick();
    const target = this.#attempts.next(this.#backend?.id ?? '', nowMs);
    if (!(target instanceof Target)) {
      this.#waitOrAnswer(target, nowMs);
      return;
    }
    this.#phase = 'connecting';
    this.#connectingMs = nowMs;
    const connection = target.takeIdle(nowMs, this.#attempts.maxIdleMs) ?? target.connect();
    this.#connection = connection;
    connection.use(this);
  }

  onConnected(): void {
    const connection = this.#connection;
    if (connection === null) return;
    const { identity } = this.#client;
    const head = this.#head;
    this.#connectedMs = connection.reused ? this.#connectingMs : this.#context.tick();
    this.#activeMs = this.#connectedMs;
    this.#phase = 'sent';
    if (!connection.reused) this.#attempts.target?.markWorking();
    this.#decode = head.minor === 0;
    const forwarded = forwardedLines(identity, head.authority, head.fields);
    const text = requestHeadText(head, this.#path, forwarded, this.#requestId);
    connection.sendHead(text, head.method === 'HEAD', this.#decode);
    if (!this.#client.bodyDone) this.#client.startBody();
  }

  onRequestBody(bytes: Buffer): void {
    this.#activeMs = this.#context.nowMs;
    const { bodyBytes } = this.#context.limits;
    if (bodyBytes !== null && this.#client.receivedBytes > bodyBytes) {
      this.#giveUp(failures.bodyTooLarge);
      return;
    }
    if (this.#connection?.write(bytes) === false) this.#client.pauseBody();
  }

  onRequestEnd(): void {
    this.#activeMs = this.#context.nowMs;
  }

  onRequestMalformed(): void {
    this.#giveUp(failures.malformedBody);
  }

  onUpstreamDrain(): void {
    this.#client.resume();
  }

  onInterim(head: ResponseHead): void {
    this.#activeMs = this.#context.nowMs;
    if (this.#head.minor === 0) return;
    this.#client.writeHead(responseHeadText(head, { connection: '', contentLength: -1, chunked: false }), empty);
  }

  onHead(head: ResponseHead, body: Buffer, scanner: ChunkScanner | null): void {
    this.#status = head.status;
    this.#activeMs = this.#context.nowMs;
    if (head.status === 101) {
      this.#beginTunnel(head, body);
      return;
    }
    this.#phase = 'responding';
    const framing = frameResponse(this.#head, head, this.#mayKeep());
    this.#keepAlive = framing.connection !== 'close';
    const text = responseHeadText(head, framing);
    const payload = scanner !== null && this.#decode ? decoded(body, scanner) : body;
    this.#sentBytes = scanner === null ? this.#sentBytes + payload.length : scanner.payloadBytes;
    if (!this.#client.writeHead(text, payload)) this.#connection?.pause();
  }

  onBody(body: Buffer, scanner: ChunkScanner | null): void {
    this.#activeMs = this.#context.nowMs;
    const payload = scanner !== null && this.#decode ? decoded(body, scanner) : body;
    this.#sentBytes = scanner === null ? this.#sentBytes + payload.length : scanner.payloadBytes;
    if (payload.length > 0 && !this.#client.write(payload)) this.#connection?.pause();
  }

  onClientDrain(): void {
    this.#activeMs = this.#context.nowMs;
    this.#connection?.resume();
  }

  onResponseEnd(): void {
    const connection = this.#connection;
    this.#connection = null;
    if (connection !== null) {
      if (this.#client.bodyDone) {
        connection.resume();
        this.#attempts.target?.release(connection, this.#context.nowMs);
      } else connection.destroy();
    }
    const keepAlive = this.#keepAlive && this.#client.bodyDone && !this.#context.stopping;
    this.#settle();
    this.#client.finish(keepAlive);
  }

  onUpstreamFailure(failure: UpstreamFailure): void {
    const phase = this.#phase;
    const connection = this.#connection;
    this.#connection = null;
    if (phase === 'tunnel') {
      this.#settle();
      this.#client.finish(false);
    } else if (phase === 'responding') {
      this.#failure = failures.interrupted;
      this.#settle();
      this.#client.reset();
    } else if (phase === 'connecting') {
      const nowMs = this.#context.tick();
      if (this.#attempts.refused(nowMs, failure === 'unreachable')) this.#attempt();
      else this.#waitOrAnswer(failures.connectFailed, nowMs);
    } else if (failure === 'malformed') this.#answer(failures.malformedResponse);
    else if (this.#attempts.closed(connection?.reused === true)) this.#attempt();
    else this.#answer(failures.closedEarly);
  }

  /** No instance is left to try. Where one is only out of reach, all are tried again at the next sweep. */
  #waitOrAnswer(failure: Failure, nowMs: number): void {
    const isEarly = nowMs - this.#startedMs < this.#context.limits.outOfReachMs;
    if (isEarly && this.#attempts.mayComeBack()) this.#phase = 'waiting';
    else this.#answer(failure);
  }

  #beginTunnel(head: ResponseHead, early: Buffer): void {
    if (this.#head.upgrade === null) {
      this.#giveUp(failures.malformedResponse);
      return;
    }
    this.#phase = 'tunnel';
    const framing = frameResponse(this.#head, head, false);
    if (!this.#client.writeHead(responseHeadText(head, framing), early)) this.#connection?.pause();
    this.#sentBytes += early.length;
    this.#client.tunnel();
  }

  onTunnelBytes(bytes: Buffer): void {
    this.#activeMs = this.#context.nowMs;
    if (this.#connection?.write(bytes) === false) this.#client.pause();
  }

  onClientHalfClose(): void {
    this.#connection?.end();
  }

  onUpstreamHalfClose(): void {
    this.#client.end();
  }

  onClientGone(): void {
    if (this.#phase !== 'tunnel') this.#failure = failures.clientGone;
    if (this.#phase !== 'tunnel') this.#status = failures.clientGone.status;
    this.#connection?.destroy();
    this.#connection = null;
    this.#settle();
  }

  sweep(nowMs: number): void {
    const { limits } = this.#context;
    const quietMs = nowMs - this.#activeMs;
    if (this.#phase === 'waiting') this.#attempt();
    else if (this.#phase === 'tunnel') {
      if (quietMs > limits.tunnelIdleMs) this.#client.destroy();
    } else if (this.#phase === 'sent' && this.#client.bodyDone) {
      if (quietMs > limits.responseTimeoutMs) this.#giveUp(failures.responseTimeout);
      else if (quietMs > limits.silenceMs && this.#attempts.target?.isLost(nowMs) === true) this.#leaveLost(nowMs);
    } else if (this.#phase === 'sent') {
      if (quietMs > limits.idleTimeoutMs) this.#giveUp(failures.requestStalled);
    } else if (this.#phase === 'responding' && quietMs > limits.idleTimeoutMs) this.#giveUp(failures.interrupted);
  }

  /** Its instance is out of reach: as if the connection had ended. */
  #leaveLost(nowMs: number): void {
    this.#attempts.target?.markFailing(nowMs);
    this.#connection?.destroy();
    this.onUpstreamFailure('closed');
  }

  /** Ends it from our side: with an answer while none has begun, else by cutting the connection. */
  #giveUp(failure: Failure): void {
    this.#connection?.destroy();
    this.#connection = null;
    if (this.#phase === 'responding' || this.#phase === 'tunnel') {
      this.#failure = failure;
      this.#settle();
      this.#client.reset();
    } else this.#answer(failure);
  }

  /** The router's own answer. */
  #answer(failure: Failure): void {
    this.#failure = failure;
    this.#status = failure.status;
    const keepAlive = this.#head.keepAlive && this.#client.bodyDone && this.#mayKeep();
    const page = errorPage(failure, this.#head, this.#requestId, keepAlive);
    this.#sentBytes += page.body.length;
    this.#client.writeHead(page.head, page.body);
    this.#settle();
    this.#client.finish(keepAlive);
  }

  /**
   * Whether the client's connection could serve another request. A client that was not told to go on may never send its body, and what
   * follows a refused upgrade may be bytes of the other protocol.
   */
  #mayKeep(): boolean {
    const { expectsContinue, upgrade } = this.#head;
    return !this.#context.stopping && upgrade === null && (this.#client.bodyDone || !expectsContinue);
  }

  /** Takes it off every count and writes its access line. */
  #settle(): void {
    if (this.#phase === 'done') return;
    const wasTunnel = this.#phase === 'tunnel';
    this.#phase = 'done';
    const { target } = this.#attempts;
    this.#attempts.end();
    if (this.#backend === null) return;
    const nowMs = this.#context.tick();
    const connectedMs = this.#connectedMs === 0 ? nowMs : this.#connectedMs;
    this.#context.account(this.#backend.appId, this.#client.receivedBytes, !wasTunnel, {
      head: this.#head,
      client: this.#client.identity,
      requestId: this.#requestId,
      status: this.#status,
      sentBytes: this.#sentBytes,
      connectMs: this.#connectingMs === 0 ? 0 : connectedMs - this.#connectingMs,
      serviceMs: nowMs - connectedMs,
      totalMs: nowMs - this.#startedMs,
      target,
      failure: this.#failure,
    });
  }
}

const empty = Buffer.alloc(0);

/** The payload of a chunked body's bytes, for clients that know no chunks. */
function decoded(body: Buffer, scanner: ChunkScanner): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < scanner.ranges.length; at += 2)
    parts.push(body.subarray(scanner.ranges[at], scanner.ranges[at + 1]));
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
}
