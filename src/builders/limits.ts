/** Every bound of a build in one place, with its default. */

export interface BuildLimits {
  /** Bytes of an archive as it is sent. */
  readonly archiveBytes: number;
  /** Bytes of all files after unpacking. */
  readonly unpackedBytes: number;
  /** Files, folders and links in an archive. */
  readonly entries: number;
  /** Bytes out per byte in, counted from 32 MiB out on. */
  readonly ratio: number;
  /** UTF-8 bytes of one path. */
  readonly pathBytes: number;
  /** Folders above one file. */
  readonly depth: number;
  /** Milliseconds to fetch a source. */
  readonly fetchMs: number;
  /** Milliseconds for all steps together. */
  readonly buildMs: number;
  readonly memoryBytes: number;
  /** Bytes of log output of one step. */
  readonly outputBytes: number;
  readonly diskBytes: number;
  readonly pids: number;
  /** 1024 is what an ordinary instance has; a build gets less. */
  readonly cpuShares: number;
  /** Bytes of all build caches together, kept by `prune`. */
  readonly cacheBytes: number;
  /** An artifact younger than this is never pruned: its release may not be recorded yet. */
  readonly pruneGraceMs: number;
}

const mebibyte = 1024 * 1024;

export const defaultLimits: BuildLimits = {
  archiveBytes: 512 * mebibyte,
  unpackedBytes: 1024 * mebibyte,
  entries: 100_000,
  ratio: 200,
  pathBytes: 1024,
  depth: 64,
  fetchMs: 5 * 60_000,
  buildMs: 15 * 60_000,
  memoryBytes: 1024 * mebibyte,
  outputBytes: 10 * mebibyte,
  diskBytes: 2048 * mebibyte,
  pids: 512,
  cpuShares: 256,
  cacheBytes: 5 * 1024 * mebibyte,
  pruneGraceMs: 60 * 60_000,
};

/** Bytes in words for a log or message: `512 B`, `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ['KiB', 'MiB', 'GiB'];
  let value = bytes;
  let unit = '';
  for (const next of units) {
    if (value < 1024) break;
    value /= 1024;
    unit = next;
  }
  return `${value.toFixed(1).replace(/\.0$/, '')} ${unit}`;
}
