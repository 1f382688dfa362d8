/** Work that several may wait for: done once at a time for each key, and ended when nobody waits for it any more. */
import { whileWanted } from './while-wanted.ts';

interface Going<T> {
  readonly done: Promise<T>;
  readonly end: AbortController;
  waiting: number;
}

export class SharedWork<T> {
  readonly #going = new Map<string, Going<T>>();

  /** Rejects with the signal's reason as soon as it aborts; `work` gets a signal that aborts when that is so for all. */
  async wait(key: string, signal: AbortSignal, work: (unwanted: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const going = this.#going.get(key) ?? this.#begin(key, work);
    going.waiting += 1;
    try {
      return await whileWanted(signal, going.done);
    } finally {
      going.waiting -= 1;
      if (going.waiting === 0) this.#end(key, going, signal.reason);
    }
  }

  #begin(key: string, work: (unwanted: AbortSignal) => Promise<T>): Going<T> {
    const end = new AbortController();
    const done = work(end.signal).finally(() => this.#forget(key, going));
    // Who waited may all have left.
    done.catch(() => {});
    const going: Going<T> = { done, end, waiting: 0 };
    this.#going.set(key, going);
    return going;
  }

  /** Whoever comes now begins anew. */
  #end(key: string, going: Going<T>, reason: unknown): void {
    this.#forget(key, going);
    going.end.abort(reason);
  }

  #forget(key: string, going: Going<T>): void {
    if (this.#going.get(key) === going) this.#going.delete(key);
  }
}
