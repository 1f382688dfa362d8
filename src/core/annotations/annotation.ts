import type { Id } from '../names.ts';
import type { Secret } from '../ports/secret.ts';

/** What a client keeps with an app under a name of its own; the platform never reads it. */
export interface AnnotationStore {
  /** Sealed at rest: it may hold what its client would not show. */
  find(appId: Id<'app'>, name: string): Promise<Secret | null>;
  /** Of many apps at once, by app id. */
  findOf(appIds: readonly Id<'app'>[], name: string): Promise<ReadonlyMap<string, Secret>>;
  set(appId: Id<'app'>, name: string, value: Secret, now: Date): Promise<void>;
}
