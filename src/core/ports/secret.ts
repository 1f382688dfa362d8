/**
 * A secret that cannot be shown by accident: printing, inspecting or serializing it gives `[secret]`.
 * `reveal()` is the only way to the text; a search for its callers is the review of where secrets flow.
 */
const inspect = Symbol.for('nodejs.util.inspect.custom');

export class Secret {
  readonly #value: string;
  constructor(value: string) {
    this.#value = value;
  }
  reveal(): string {
    return this.#value;
  }
  toString(): string {
    return '[secret]';
  }
  toJSON(): string {
    return '[secret]';
  }
  [inspect](): string {
    return '[secret]';
  }
}

/** Environment of a process: names to secret values (any UTF-8 without NUL). */
export type Environment = Readonly<Record<string, Secret>>;

/** Encrypts at rest with the platform's key (AES-256-GCM or better; key from the data folder or the environment). */
export interface SecretBox {
  seal(plain: Secret, context: string): Uint8Array;
  /** Throws when the bytes were sealed for another context or with another key. */
  open(sealed: Uint8Array, context: string): Secret;
  /** Keyed digest (HMAC-SHA-256, hex), to compare or cache by secret content without storing it. */
  digest(plain: string): string;
}
