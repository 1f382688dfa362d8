/** One port of an instance as a worker sees it: where it is, what is in flight to it, and the idle connections kept to it. */
import type { RouteTarget } from '../core/ports/router.ts';
import type { RouterLimits } from './limits.ts';
import { Reach } from './reach.ts';
import { UpstreamConnection } from './upstream-connection.ts';

const failingDoublings = 4;

export class Target {
  /** The instance's. */
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly processType: string;
  /** Requests and upgraded connections that chose it and have not ended. */
  inFlight = 0;
  /** Out of the table: serves what it has, keeps no connection. */
  retired = false;
  readonly #limits: RouterLimits;
  readonly #idle: UpstreamConnection[] = [];
  readonly #reach: Reach;
  #failingUntilMs = 0;
  /** Refusals in a row. */
  #failures = 0;
  #whenIdle: (() => void)[] = [];

  constructor(target: RouteTarget, limits: RouterLimits) {
    this.id = target.id;
    this.host = target.host;
    this.port = target.port;
    this.processType = target.processType;
    this.#limits = limits;
    this.#reach = new Reach(target.host, target.port, limits.silenceMs);
  }

  isFailing(nowMs: number): boolean {
    return nowMs < this.#failingUntilMs;
  }

  /** It refused a connection, or is out of reach: others go first for a while, twice as long with every time in a row. */
  markFailing(nowMs: number): void {
    this.#failingUntilMs = nowMs + this.#limits.failingMs * 2 ** Math.min(this.#failures, failingDoublings);
    this.#failures += 1;
    this.#closeIdle();
  }

  /** A connection came about. */
  markWorking(): void {
    this.#failingUntilMs = 0;
    this.#failures = 0;
    this.#reach.answered();
  }

  /** To be asked of one that owes an answer for longer than the limit `silenceMs`: whether its machine is gone. Takes a few such times to say. */
  isLost(nowMs: number): boolean {
    return this.#reach.isLost(nowMs);
  }

  /** A connection that was idle for at most `maxIdleMs`, the last used first; null when there is none. */
  takeIdle(nowMs: number, maxIdleMs: number): UpstreamConnection | null {
    for (;;) {
      const connection = this.#idle.at(-1);
      if (connection === undefined) return null;
      if (connection.isUsable && nowMs < connection.expiresMs) {
        if (nowMs - connection.idleSinceMs > maxIdleMs) return null;
        this.#idle.pop();
        return connection;
      }
      this.#idle.pop();
      connection.destroy();
    }
  }

  /** A connection that is not connected yet. */
  connect(): UpstreamConnection {
    return new UpstreamConnection(this.host, this.port, this.#limits, (connection) => this.#forget(connection));
  }

  /** Takes a connection back for the next request, or closes it. */
  release(connection: UpstreamConnection, nowMs: number): void {
    if (this.retired || !connection.isUsable || this.#idle.length >= this.#limits.upstreamIdleCount) {
      connection.destroy();
      return;
    }
    connection.idleSinceMs = nowMs;
    connection.expiresMs = nowMs + Math.min(this.#limits.upstreamIdleMs, connection.hintedIdleMs);
    this.#idle.push(connection);
  }

  /** Closes connections that were idle too long. */
  sweep(nowMs: number): void {
    while (this.#idle.length > 0 && nowMs >= (this.#idle[0]?.expiresMs ?? 0)) this.#idle.shift()?.destroy();
  }

  retire(): void {
    this.retired = true;
    this.#reach.close();
    this.#closeIdle();
  }

  begin(): void {
    this.inFlight++;
  }

  end(): void {
    this.inFlight--;
    if (this.inFlight > 0 || this.#whenIdle.length === 0) return;
    const waiting = this.#whenIdle;
    this.#whenIdle = [];
    for (const tell of waiting) tell();
  }

  /** Calls back once nothing is in flight; the function it gives takes that back. */
  onceIdle(tell: () => void): () => void {
    this.#whenIdle.push(tell);
    return () => {
      this.#whenIdle = this.#whenIdle.filter((other) => other !== tell);
    };
  }

  #forget(connection: UpstreamConnection): void {
    const at = this.#idle.indexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
  }

  #closeIdle(): void {
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }
}
