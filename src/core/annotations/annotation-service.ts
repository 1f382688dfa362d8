import type { Actor } from '../access/actor.ts';
import type { AppView } from '../apps/app.ts';
import { fetchApp } from '../apps/app-access.ts';
import { invalid } from '../errors.ts';
import type { CoreContext } from '../ports/core-context.ts';
import { Secret } from '../ports/secret.ts';

const MAX_BYTES = 1024 * 1024;

/** Notes that a client keeps with an app: JSON text under a name such as `giantswarm/definition`. */
export class AnnotationService {
  readonly #context: CoreContext;
  constructor(context: CoreContext) {
    this.#context = context;
  }

  async get(actor: Actor, reference: string, name: string): Promise<string | null> {
    const app = await fetchApp(this.#context.db, actor, reference, 'app.read.info');
    return (await this.#context.db.annotations.find(app.id, name))?.reveal() ?? null;
  }

  /** Of apps that the actor has listed already, by app id. */
  async getOf(apps: readonly AppView[], name: string): Promise<ReadonlyMap<string, string>> {
    if (apps.length === 0) return new Map();
    const found = await this.#context.db.annotations.findOf(
      apps.map((app) => app.id),
      name,
    );
    return new Map([...found].map(([id, value]) => [id, value.reveal()]));
  }

  /** Puts it there or replaces it. */
  async set(actor: Actor, reference: string, name: string, value: string): Promise<void> {
    const { db, clock } = this.#context;
    const app = await fetchApp(db, actor, reference, 'app.update');
    if (Buffer.byteLength(value) > MAX_BYTES)
      throw invalid('annotation', `an annotation is larger than ${MAX_BYTES} bytes`, 'too-long');
    await db.annotations.set(app.id, name, new Secret(value), clock.now());
  }
}
