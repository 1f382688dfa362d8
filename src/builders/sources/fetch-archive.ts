/** Brings the bytes of an archive to a local file, from wherever the location points. */

import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { BerthError } from '../../core/errors.ts';
import { BuildFailure } from '../../core/ports/builder.ts';
import { DialError, type Dialer } from '../../lib/dialer.ts';
import { LimitExceeded, meterBytes } from '../../lib/streams.ts';
import type { BlobFolder } from '../blob-folder.ts';
import { formatBytes } from '../limits.ts';
import { parseDataUri } from './data-uri.ts';

export interface FetchedArchive {
  /** May be a blob itself: read only. */
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

export interface FetchArchiveOptions {
  readonly dialer: Dialer;
  readonly blobs: BlobFolder;
  readonly maxBytes: number;
  readonly timeoutMs: number;
  /** Where to put bytes that have no file yet. */
  readonly target: string;
}

/** Throws BuildFailure `source` when the location or what it answers is at fault, and what the signal says when it aborts. */
export async function fetchArchive(
  url: string,
  options: FetchArchiveOptions,
  signal: AbortSignal,
): Promise<FetchedArchive> {
  if (/^data:/i.test(url)) {
    const bytes = parseDataUri(url, options.maxBytes);
    await writeFile(options.target, bytes, { flag: 'wx', mode: 0o600 });
    return { path: options.target, sha256: createHash('sha256').update(bytes).digest('hex'), sizeBytes: bytes.length };
  }
  if (url.startsWith('upload:')) return fromUpload(url.slice('upload:'.length), options.blobs);
  if (/^https?:/i.test(url)) return download(url, options, signal);
  throw new BuildFailure('source', 'the source URL must be http(s):, data: or upload:');
}

async function fromUpload(id: string, blobs: BlobFolder): Promise<FetchedArchive> {
  try {
    const { path, blob } = await blobs.file(id);
    return { path, sha256: blob.sha256, sizeBytes: blob.sizeBytes };
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    throw new BuildFailure('source', 'the uploaded source is no longer there; upload it again');
  }
}

async function download(url: string, options: FetchArchiveOptions, signal: AbortSignal): Promise<FetchedArchive> {
  try {
    const { maxBytes, timeoutMs, target } = options;
    const answer = await options.dialer.dial({ url, maxBytes, timeoutMs, signal });
    if (answer.status !== 200) {
      answer.body.destroy();
      throw new BuildFailure('source', `the source's server answered ${answer.status}`);
    }
    const meter = meterBytes();
    const file = createWriteStream(target, { flags: 'wx', mode: 0o600 });
    await pipeline(answer.body, meter.through, file, { signal });
    return { path: target, sha256: meter.sha256(), sizeBytes: meter.sizeBytes() };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof LimitExceeded) {
      throw new BuildFailure('source', `the source is larger than ${formatBytes(error.maxBytes)}`);
    }
    if (error instanceof DialError) throw new BuildFailure('source', `the source cannot be fetched: ${error.message}`);
    if (error instanceof BuildFailure || (error as NodeJS.ErrnoException).syscall === 'open') throw error;
    throw new BuildFailure('source', 'the source broke off while it was fetched');
  }
}
