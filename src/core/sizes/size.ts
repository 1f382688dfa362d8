import type { Id } from '../names.ts';
/** How much one instance may use. */
export interface Size {
  readonly id: Id<'size'>;
  readonly name: string;
  readonly description: string;
  readonly memoryBytes: number;
  /** 1024 is one ordinary share. */
  readonly cpuShares: number;
  readonly pids: number;
  readonly isDefault: boolean;
  readonly deprecated: boolean;
  readonly priceCents: number;
}
export interface SizeStore {
  find(reference: string): Promise<Size | null>;
  findDefault(): Promise<Size | null>;
  insert(size: Size): Promise<void>;
  list(): Promise<readonly Size[]>;
}
