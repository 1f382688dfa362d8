/** Starts that were accepted on a node and are not over: each is listed from its acceptance on, and done in the background. */
import type { InstanceSpec } from '../../core/ports/engine.ts';
import { type Identity, identityOf } from './identity.ts';

export interface LaunchesParts {
  readonly now: () => Date;
  /** Brings it up, or leaves a container that says why not; rejects when nothing is decided. */
  readonly launch: (spec: InstanceSpec, before: () => Promise<void>, signal: AbortSignal) => Promise<void>;
  /** The caller misses the instance in the list, and says it again. */
  readonly failed: (id: string, error: unknown) => void;
  readonly changed: () => void;
}

interface Begun {
  readonly identity: Identity;
  readonly done: Promise<void>;
  readonly end: AbortController;
}

export class Launches {
  readonly #parts: LaunchesParts;
  readonly #begun = new Map<string, Begun>();

  constructor(parts: LaunchesParts) {
    this.#parts = parts;
  }

  identities(): readonly Identity[] {
    return [...this.#begun.values()].map(({ identity }) => identity);
  }

  identity(id: string): Identity | undefined {
    return this.#begun.get(id)?.identity;
  }

  /** Resolves when it is over, or was never begun. */
  async over(id: string): Promise<void> {
    await this.#begun.get(id)?.done;
  }

  /** Resolves when all that are under way now are over. */
  async settled(): Promise<void> {
    await Promise.all([...this.#begun.values()].map(({ done }) => done));
  }

  /** Nobody wants it any more: it is not waited for what takes long, such as an image that is pulled. */
  giveUp(id: string): void {
    this.#begun.get(id)?.end.abort(new Error('it was stopped before it could start'));
  }

  /** One that is under way already goes on. `before` is done first; when it fails, the start did. */
  begin(spec: InstanceSpec, before: () => Promise<void>): Identity {
    const known = this.#begun.get(spec.id);
    if (known !== undefined) return known.identity;
    const { launch, failed, changed, now } = this.#parts;
    const identity = identityOf(spec, now(), true, {});
    const end = new AbortController();
    // In a later turn, so that it is known before it is over.
    const done = Promise.resolve()
      .then(() => launch(spec, before, end.signal))
      .catch((error: unknown) => failed(spec.id, error))
      .finally(() => {
        if (this.#begun.get(spec.id) === begun) this.#begun.delete(spec.id);
        changed();
      });
    const begun = { identity, done, end };
    this.#begun.set(spec.id, begun);
    changed();
    return identity;
  }

  /** The node went away: whoever wants them starts them elsewhere. */
  forget(): void {
    this.#begun.clear();
  }
}
