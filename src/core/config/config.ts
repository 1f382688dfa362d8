import type { ConfigName, Id } from '../names.ts';
import type { Environment, Secret } from '../ports/secret.ts';

/**
 * A variable as set on an app, on a space (for all its apps), by an addon or on one process. Later wins: space, addon, app, process.
 * What is set on a process is no part of the app's config.
 */
export interface ConfigVar {
  readonly source: 'space' | 'addon' | 'app' | 'process';
  /** The id of the space, the add-on's binding, the app or the process. */
  readonly ownerId: Id;
  readonly name: ConfigName;
  readonly value: Secret;
  readonly description: string;
  readonly required: boolean;
  readonly updatedAt: Date;
}
export interface ConfigStore {
  /** All variables of the owner, by name. */
  list(source: ConfigVar['source'], ownerId: Id): Promise<readonly ConfigVar[]>;
  /** Values are encrypted on the way in and never stored in clear. */
  set(vars: readonly ConfigVar[]): Promise<void>;
  remove(source: ConfigVar['source'], ownerId: Id, names: readonly string[]): Promise<void>;
  /** What an app's processes get: space, addon and app variables merged. */
  resolve(appId: Id<'app'>): Promise<Environment>;
  /** An immutable, encrypted copy for a release. */
  snapshot(id: Id<'config-snapshot'>, appId: Id<'app'>, environment: Environment): Promise<void>;
  findSnapshot(id: Id<'config-snapshot'>): Promise<Environment | null>;
}
