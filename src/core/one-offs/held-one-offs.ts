/**
 * The one-offs that were begun through this server: what is needed to start one that waits for somebody to attach, and how one ended for
 * whoever asks soon after. Lost with the server, as the streams that it carries are.
 */
import type { InstanceExit, InstanceSpec, TerminalSize } from '../ports/engine.ts';
import type { OneOff } from './one-off.ts';

export interface HeldOneOff {
  readonly oneOff: OneOff;
  /** As it is started, but for what attaching decides. */
  readonly spec: Omit<InstanceSpec, 'stdin' | 'terminal' | 'uploads'>;
  /** Files that it finds when it starts: their names, and their blobs. */
  readonly files: Map<string, string>;
  /** What a terminal that is attached is to be like. */
  terminal: TerminalSize | undefined;
  resize: ((size: TerminalSize) => Promise<void>) | null;
  phase: 'waiting' | 'begun' | 'ended';
  /** Settles with how it ended; null: it never began. */
  readonly ended: PromiseWithResolvers<InstanceExit | null>;
}

/** One that nobody attaches to is cancelled after it. */
const WAITING_MS = 5 * 60_000;
/** Somebody may still ask how it ended. */
const KEPT_MS = 10 * 60_000;
/** Whatever was forgotten is ended after it. */
export const LIFETIME_MS = 24 * 60 * 60_000;

export class HeldOneOffs {
  readonly #held = new Map<string, HeldOneOff>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #removeFile: (blobId: string) => void;

  /** `removeFile` is called for each file of a one-off that has ended. */
  constructor(removeFile: (blobId: string) => void) {
    this.#removeFile = removeFile;
  }

  add(oneOff: OneOff, spec: HeldOneOff['spec']): HeldOneOff {
    const held: HeldOneOff = {
      oneOff,
      spec,
      files: new Map(),
      terminal: undefined,
      resize: null,
      phase: 'waiting',
      ended: Promise.withResolvers(),
    };
    this.#held.set(oneOff.id, held);
    this.#after(oneOff.id, WAITING_MS, () => this.end(held, null));
    return held;
  }

  find(id: string): HeldOneOff | undefined {
    return this.#held.get(id);
  }

  ofApp(appId: string): readonly HeldOneOff[] {
    return [...this.#held.values()].filter(({ oneOff }) => oneOff.appId === appId);
  }

  begin(held: HeldOneOff): void {
    held.phase = 'begun';
    this.#after(held.oneOff.id, LIFETIME_MS, () => this.end(held, null));
  }

  end(held: HeldOneOff, exit: InstanceExit | null): void {
    if (held.phase === 'ended') return;
    held.phase = 'ended';
    held.resize = null;
    held.ended.resolve(exit);
    for (const blobId of held.files.values()) this.#removeFile(blobId);
    this.#after(held.oneOff.id, KEPT_MS, () => {
      this.#held.delete(held.oneOff.id);
      this.#timers.delete(held.oneOff.id);
    });
  }

  #after(id: string, ms: number, work: () => void): void {
    clearTimeout(this.#timers.get(id));
    const timer = setTimeout(work, ms);
    // Nothing that a server should stay up for.
    timer.unref();
    this.#timers.set(id, timer);
  }
}
