/**
 * The log store on disk. Every process of the platform opens its own over the same folder and appends to it: no process has to be up for
 * another one's lines to be kept. Lines are in the order in which they reached the file.
 */
import { rm } from 'node:fs/promises';
import type { Clock } from '../core/ports/clock.ts';
import type { LogBatch, LogBatches, LogLine, LogReadOptions, LogStore } from '../core/ports/log-store.ts';
import type { Logger } from '../lib/logger.ts';
import { type FollowOptions, follow } from './follow.ts';
import { createEncoder } from './record.ts';
import { type Pruned, pruneStream, streamFolders } from './retention.ts';
import { streamFolder } from './segments.ts';
import { StreamWriter } from './stream-writer.ts';
import { readTail, type Tail } from './tail.ts';

export interface LogStoreOptions {
  /** Holds all streams; made when the first line is written. Mode 0700, files 0600. */
  readonly folder: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A segment that has grown to it gets no further batch. Default 1 MiB. */
  readonly segmentBytes?: number;
  /** Bytes kept of each stream. Default 20 MiB. */
  readonly retainBytes?: number;
  /** Segments without a write for so long are deleted. Default 30. */
  readonly retainDays?: number;
  /** Bounds and poll of followers. Defaults: 10,000 lines, 8 Mi characters, 1 s. */
  readonly follow?: Partial<FollowOptions>;
}

export interface DiskLogStore extends LogStore {
  /** Applies retention to every stream. Safe while others write, and in several processes at once. */
  prune(): Promise<Pruned>;
  /** Ends all followers, writes what was given, closes the files. */
  close(): Promise<void>;
}

const dayMs = 86_400_000;
const mebibyte = 1024 * 1024;
/** Files that one process keeps open for writing. */
const maxOpenStreams = 256;
/** Lines of one batch when a long tail is read. */
const batchLines = 1000;

/** A log store over a folder; see the options for its bounds. Stream names that are not `<kind>/<id>` are refused as `invalid`. */
export function createLogStore(options: LogStoreOptions): DiskLogStore {
  const { folder: root, clock, logger } = options;
  const retainBytes = options.retainBytes ?? 20 * mebibyte;
  const segmentBytes = Math.min(options.segmentBytes ?? mebibyte, Math.max(1, Math.floor(retainBytes / 2)));
  const retainDays = options.retainDays ?? 30;
  const followOptions: FollowOptions = {
    pollMs: 1000,
    maxLines: 10_000,
    maxCharacters: 8 * mebibyte,
    ...options.follow,
  };
  const encode = createEncoder();
  const writers = new Map<string, StreamWriter>();
  const closing = new AbortController();

  const retention = () => ({ retainBytes, oldest: new Date(clock.now().getTime() - retainDays * dayMs) });

  const pruneInBackground = (folder: string): void => {
    pruneStream(folder, retention()).catch((error: unknown) => logger.warn({ error, folder }, 'log retention failed'));
  };

  /** The stream's writer, moved to the end of the map: its front is the one that was used longest ago. */
  const writerOf = (folder: string): StreamWriter => {
    const known = writers.get(folder);
    writers.delete(folder);
    const writer = known ?? new StreamWriter({ folder, segmentBytes, onRoll: () => pruneInBackground(folder) });
    writers.set(folder, writer);
    return writer;
  };

  const closeOldest = (): void => {
    for (const [folder, writer] of writers) {
      if (writers.size <= maxOpenStreams) return;
      if (!writer.isIdle) continue;
      writers.delete(folder);
      writer.close().catch((error: unknown) => logger.warn({ error, folder }, 'a log file did not close'));
    }
  };

  async function read(stream: string, readOptions: LogReadOptions): Promise<LogBatches> {
    const folder = streamFolder(root, stream);
    const tail = await readTail(folder, readOptions.lines, readOptions.filter ?? {});
    return batches(folder, tail, readOptions);
  }

  async function* batches(folder: string, tail: Tail, readOptions: LogReadOptions): AsyncGenerator<LogBatch> {
    const filter = readOptions.filter ?? {};
    for (let from = 0; from < tail.lines.length; from += batchLines) {
      if (readOptions.signal?.aborted === true) return;
      yield { lines: tail.lines.slice(from, from + batchLines), dropped: 0 };
    }
    if (!readOptions.follow) return;
    const signals = readOptions.signal === undefined ? [closing.signal] : [closing.signal, readOptions.signal];
    yield* follow(folder, tail.positions, filter, followOptions, AbortSignal.any(signals));
  }

  return {
    async append(stream: string, lines: readonly LogLine[]): Promise<void> {
      const folder = streamFolder(root, stream);
      if (lines.length === 0) return;
      await writerOf(folder).append(encode(lines));
      closeOldest();
    },
    read,
    async remove(stream: string): Promise<void> {
      const folder = streamFolder(root, stream);
      const writer = writers.get(folder);
      writers.delete(folder);
      await writer?.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
    async prune(): Promise<Pruned> {
      let segments = 0;
      let freedBytes = 0;
      for (const folder of await streamFolders(root)) {
        const pruned = await pruneStream(folder, retention());
        segments += pruned.segments;
        freedBytes += pruned.freedBytes;
      }
      return { segments, freedBytes };
    },
    async close(): Promise<void> {
      closing.abort();
      await Promise.all([...writers.values()].map((writer) => writer.close()));
      writers.clear();
    },
  };
}
