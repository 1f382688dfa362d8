/** The last lines of a stream, read backwards by chunks: the cost follows what is asked for, not what is kept. */
import { type FileHandle, open } from 'node:fs/promises';
import type { LogFilter, LogLine } from '../core/ports/log-store.ts';
import { decodeRecord, matches } from './record.ts';
import { isMissing, listSegments, segmentPath } from './segments.ts';

const chunkBytes = 64 * 1024;
const newline = 0x0a;

/** Bytes of a segment that were read. */
export type Positions = Map<number, number>;

export interface Tail {
  /** Oldest first. */
  readonly lines: LogLine[];
  /** Where following goes on, for the newest two segments: always after a newline. */
  readonly positions: Positions;
}

/** Reads the last `count` lines that pass the filter. A stream that is not there has none. */
export async function readTail(folder: string, count: number, filter: LogFilter): Promise<Tail> {
  const numbers = await listSegments(folder);
  const positions: Positions = new Map();
  const found: LogLine[] = [];
  for (const [age, number] of numbers.reverse().entries()) {
    if (age > 1 && found.length >= count) break;
    const handle = await openIfThere(segmentPath(folder, number));
    if (handle === null) continue;
    try {
      const end = await endOfLastLine(handle);
      if (age <= 1) positions.set(number, end);
      if (found.length < count) await readBackwards(handle, end, count, filter, found);
    } finally {
      await handle.close();
    }
  }
  return { lines: found.reverse(), positions };
}

/** Opens for reading; null when retention was faster. */
export async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** The offset after the last newline: what comes after it is a line that nobody has finished. */
async function endOfLastLine(handle: FileHandle): Promise<number> {
  for (let end = (await handle.stat()).size; end > 0; ) {
    const start = Math.max(0, end - chunkBytes);
    const chunk = await readRange(handle, start, end);
    const last = chunk.lastIndexOf(newline);
    if (last >= 0) return start + last + 1;
    end = start;
  }
  return 0;
}

/** Adds lines newest first until `found` holds `count`. `end` is the offset after a newline. */
async function readBackwards(
  handle: FileHandle,
  end: number,
  count: number,
  filter: LogFilter,
  found: LogLine[],
): Promise<void> {
  // The end of a record whose beginning lies in the chunk before, as pieces from last to first.
  let rest: Buffer[] = [];
  for (let stop = end; stop > 0 && found.length < count; ) {
    const start = Math.max(0, stop - chunkBytes);
    const chunk = await readRange(handle, start, stop);
    stop = start;
    const first = start === 0 ? -1 : chunk.indexOf(newline);
    if (start > 0 && first < 0) {
      rest.push(chunk);
      continue;
    }
    const whole = Buffer.concat([chunk.subarray(first + 1), ...rest.reverse()]);
    rest = [chunk.subarray(0, first + 1)];
    const records = whole.toString('utf8').split('\n');
    for (let index = records.length - 1; index >= 0 && found.length < count; index -= 1) {
      const line = decodeRecord(records[index] ?? '');
      if (line !== null && matches(line, filter)) found.push(line);
    }
  }
}

async function readRange(handle: FileHandle, start: number, end: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(end - start);
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, start + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
