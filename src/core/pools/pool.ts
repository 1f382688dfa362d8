import type { Id } from '../names.ts';
export interface Pool {
  readonly id: Id<'pool'>;
  readonly name: string;
  /** The kind of engine that runs its apps: `process` or `docker`. */
  readonly engine: string;
  readonly isDefault: boolean;
  readonly createdAt: Date;
}
export interface PoolStore {
  find(reference: string): Promise<Pool | null>;
  findDefault(): Promise<Pool | null>;
  insert(pool: Pool): Promise<void>;
  update(id: Id<'pool'>, change: Partial<Pick<Pool, 'name' | 'engine'>>): Promise<void>;
  /** Throws conflict `pool-has-spaces`, `pool-has-apps` or `pool-has-nodes`. */
  remove(id: Id<'pool'>): Promise<void>;
  list(): Promise<readonly Pool[]>;
}
