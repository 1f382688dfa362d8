/** Time and randomness as the core sees them; tests may bring their own. */
export interface Clock {
  now(): Date;
  /** Milliseconds that never go backwards. */
  monotonicMs(): number;
}
export interface Ids {
  /** A new UUID v4. */
  id(): string;
  /** `bytes` random bytes as lower-case hex. */
  token(bytes: number): string;
}
