/**
 * Keeps uploaded sources until they are built. A blob is written once and never changed; a build names one as `upload:<id>`.
 * Ids cannot be guessed; who may use one is decided by the service that hands them out.
 */
import type { Readable } from 'node:stream';

export interface Blob {
  readonly id: string;
  readonly sizeBytes: number;
  /** SHA-256 of the bytes, lower-case hex. */
  readonly sha256: string;
  readonly createdAt: Date;
}

export interface PutBlobOptions {
  /** A longer stream is refused (`too-large`) and leaves nothing behind. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
  /** Under this id, which somebody was given before there were bytes; otherwise a new one. */
  readonly id?: string;
}

export interface BlobStore {
  /**
   * Resolves when the bytes are durable. Throws BerthError `too-large`, `cancelled` when the signal aborts, and conflict `blob-exists` for an
   * id that has bytes already or gets them just now.
   */
  put(bytes: AsyncIterable<Uint8Array>, options: PutBlobOptions): Promise<Blob>;
  /** Null when there is no such blob. */
  get(id: string): Promise<Blob | null>;
  /** A stream of the bytes; throws BerthError `not-found`. */
  open(id: string): Promise<Readable>;
  /** The file of this machine that holds the bytes, not to be changed; throws BerthError `not-found`. */
  path(id: string): Promise<string>;
  /** A blob that is gone already is no error. */
  remove(id: string): Promise<void>;
  /** Deletes blobs older than `olderThan` that are not in `keep`. */
  prune(olderThan: Date, keep: ReadonlySet<string>): Promise<{ readonly removed: number; readonly freedBytes: number }>;
}
