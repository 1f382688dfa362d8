/** Paging as every list has it: a limit, and where the last page ended. */
export interface PageRequest {
  /** 1…1000. */
  readonly limit: number;
  /** The `next` of the page before; absent for the first. */
  readonly after?: string;
}
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}
