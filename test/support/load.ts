/** A steady stream of requests to an app through the router, with keep-alive connections as browsers and proxies have. */
import { Agent, request } from 'node:http';
import type { TestPlatform } from './platform.ts';

export interface LoadResult {
  readonly sent: number;
  readonly failed: number;
  /** Those of the failed that got no answer at all, or not all of it. */
  readonly unanswered: number;
  /** The first few failures, in words. */
  readonly failures: readonly string[];
  readonly perSecond: number;
  /** When the last of the failed did, after the start of the load; null: none did. */
  readonly lastFailureMs: number | null;
  /** How long the slowest of those that succeeded took. */
  readonly slowestMs: number;
}

const TICK_MS = 10;
/** Before the router closes what is idle: who sends on it just then would fail. */
const IDLE_MS = 30_000;
const FAILURES_KEPT = 20;

/** Starts sending; `stop` waits for every request in flight and tells what came of all. Every tenth request goes to `slowPath`. */
export function startLoad(
  platform: Pick<TestPlatform, 'routerPort' | 'hostOf'>,
  handle: string,
  perSecond: number,
  slowPath: string | null,
): { stop(): Promise<LoadResult> } {
  const agent = new Agent({ keepAlive: true, maxSockets: 256, timeout: IDLE_MS });
  const failures: string[] = [];
  let sent = 0;
  let failed = 0;
  let unanswered = 0;
  let slowestMs = 0;
  let lastFailureMs: number | null = null;
  let inFlight = 0;
  let idle: (() => void) | null = null;
  const started = performance.now();
  const fail = (reason: string): void => {
    failed += 1;
    lastFailureMs = Math.round(performance.now() - started);
    if (failures.length < FAILURES_KEPT)
      failures.push(`after ${Math.round(performance.now() - started)} ms: ${reason}`);
  };
  const done = (): void => {
    inFlight -= 1;
    if (inFlight === 0) idle?.();
  };
  const send = (): void => {
    sent += 1;
    inFlight += 1;
    const sentAt = performance.now();
    const path = slowPath !== null && sent % 10 === 0 ? slowPath : '/';
    const call = request({
      host: '127.0.0.1',
      port: platform.routerPort,
      path,
      headers: { host: platform.hostOf(handle) },
      agent,
      timeout: 20_000,
    });
    let settled = false;
    const settle = (reason: string | null): void => {
      if (settled) return;
      settled = true;
      if (reason !== null) fail(`${path}: ${reason}`);
      else slowestMs = Math.max(slowestMs, Math.round(performance.now() - sentAt));
      done();
    };
    const cut = (error: Error): void => {
      if (!settled) unanswered += 1;
      settle(error.message);
    };
    call.once('response', (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString('utf8');
      });
      response.once('end', () =>
        settle(response.statusCode === 200 ? null : `status ${response.statusCode}: ${body.slice(0, 200)}`),
      );
      response.once('error', cut);
    });
    call.once('error', cut);
    call.once('timeout', () => call.destroy(new Error('no answer within 20 s')));
    call.end();
  };
  const timer = setInterval(() => {
    // By the clock, not by ticks: a busy machine skips ticks and must not slow the load.
    const due = Math.floor(((performance.now() - started) / 1_000) * perSecond);
    while (sent < due) send();
  }, TICK_MS);
  return {
    async stop(): Promise<LoadResult> {
      clearInterval(timer);
      const seconds = (performance.now() - started) / 1_000;
      if (inFlight > 0)
        await new Promise<void>((resolve) => {
          idle = resolve;
        });
      agent.destroy();
      return { sent, failed, unanswered, failures, perSecond: Math.round(sent / seconds), lastFailureMs, slowestMs };
    },
  };
}
