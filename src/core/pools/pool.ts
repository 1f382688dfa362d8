import type { Id } from '../names.ts';
export interface Pool {
  readonly id: Id<'pool'>;
  readonly name: string;
  readonly engine: string;
  readonly isDefault: boolean;
  readonly createdAt: Date;
}
export interface PoolStore {
  find(reference: string): Promise<Pool | null>;
  findDefault(): Promise<Pool | null>;
  insert(pool: Pool): Promise<void>;
  list(): Promise<readonly Pool[]>;
}
