/** What one server knows of the attached one-offs it carries: who waits for the size of the client's terminal, and which were ended as idle. */

const IDLE_KEPT = 1_000;

export class Attachments {
  readonly #sized = new Map<string, () => void>();
  readonly #idle = new Set<string>();

  /** Resolves when the client has told its size, or after the time. */
  sized(oneOffId: string, timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#sized.delete(oneOffId);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.#sized.set(oneOffId, done);
    });
  }

  hasSize(oneOffId: string): void {
    this.#sized.get(oneOffId)?.();
  }

  endedIdle(oneOffId: string): void {
    this.#idle.add(oneOffId);
    for (const oldest of this.#idle) {
      if (this.#idle.size <= IDLE_KEPT) return;
      this.#idle.delete(oldest);
    }
  }

  wasIdle(oneOffId: string): boolean {
    return this.#idle.has(oneOffId);
  }
}
