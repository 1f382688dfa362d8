/**
 * Says when a folder may have changed: the kernel's notice where it gives one, and a slow poll behind it, since notices can be refused
 * (limits of the machine) or lost. A folder that is not there yet is polled until it is.
 */
import { type FSWatcher, watch } from 'node:fs';

export interface ChangeSignalOptions {
  /** How long to trust the kernel's silence. */
  readonly pollMs: number;
  /** The same while there is no watch: no folder yet, or none to be had. */
  readonly unwatchedPollMs: number;
}

export class ChangeSignal {
  readonly #folder: string;
  readonly #options: ChangeSignalOptions;
  #watcher: FSWatcher | null = null;
  #dirty = false;
  #wake: (() => void) | null = null;

  constructor(folder: string, options: ChangeSignalOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  /** Resolves after a change since the last call, or when it is time to look anyway. */
  async wait(): Promise<void> {
    this.#ensureWatch();
    if (!this.#dirty) {
      const waitMs = this.#watcher === null ? this.#options.unwatchedPollMs : this.#options.pollMs;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = null;
    }
    this.#dirty = false;
  }

  /** Ends a wait at once. */
  notify(): void {
    this.#dirty = true;
    this.#wake?.();
  }

  /** Forgets the watch; the next wait makes a new one. For a folder that was deleted and may come back. */
  close(): void {
    this.#watcher?.close();
    this.#watcher = null;
  }

  #ensureWatch(): void {
    if (this.#watcher !== null) return;
    try {
      const watcher = watch(this.#folder, { persistent: false }, () => this.notify());
      watcher.on('error', () => this.close());
      this.#watcher = watcher;
      // What happened between the last look and this watch gave no notice.
      this.#dirty = true;
    } catch {
      this.#watcher = null;
    }
  }
}
