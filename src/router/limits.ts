/** Every bound of the data path in one place: what a client or an instance may take of size, count and time. */
export interface RouterLimits {
  /** Request line and headers together, bytes; more is answered 431. Holds for an instance's response head too. */
  readonly headBytes: number;
  readonly headerCount: number;
  /** Request body in bytes; null: no limit. */
  readonly bodyBytes: number | null;
  /** From the first byte of a request (or the accept) to the end of its headers. */
  readonly headTimeoutMs: number;
  /** How long a client connection may stay open between two requests. */
  readonly keepAliveMs: number;
  /** An instance whose machine does not answer is left after it. One lost packet is no reason: it is sent again after a second. */
  readonly connectTimeoutMs: number;
  /**
   * How long a request waits when every instance that it may try is out of reach, and is tried again: the way to a machine, or what ran on it,
   * is replaced within seconds. From its beginning.
   */
  readonly outOfReachMs: number;
  /** From the last byte of the request sent on to the first byte of the response: 504 (H12) after it. */
  readonly responseTimeoutMs: number;
  /** An instance that owes an answer for so long is asked whether it can be reached at all; one such attempt waits as long. */
  readonly silenceMs: number;
  /** Neither direction moved a byte for so long while a body is under way. */
  readonly idleTimeoutMs: number;
  /** The same for WebSockets and other upgraded connections. */
  readonly tunnelIdleMs: number;
  /** How long a connection to an instance is kept for the next request. */
  readonly upstreamIdleMs: number;
  /** Idle connections kept for each instance by each worker. */
  readonly upstreamIdleCount: number;
  /** How long an instance that refused a connection is passed over while others are there. */
  readonly failingMs: number;
  /** Instances tried for one request. */
  readonly attempts: number;
  /** Client connections of one worker. */
  readonly connections: number;
  /** How long requests in flight may go on when a worker stops. */
  readonly stopGraceMs: number;
}

export const defaultLimits: RouterLimits = {
  headBytes: 32 * 1024,
  headerCount: 128,
  bodyBytes: null,
  headTimeoutMs: 15_000,
  keepAliveMs: 75_000,
  connectTimeoutMs: 1_500,
  outOfReachMs: 8_000,
  responseTimeoutMs: 60_000,
  silenceMs: 1_000,
  idleTimeoutMs: 300_000,
  tunnelIdleMs: 3_600_000,
  upstreamIdleMs: 4_000,
  upstreamIdleCount: 128,
  failingMs: 1_000,
  attempts: 3,
  connections: 9_000,
  stopGraceMs: 10_000,
};
