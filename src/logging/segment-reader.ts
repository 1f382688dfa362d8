/**
 * Reads what was added to a stream since the last look, across segments. The newest two segments stay under watch, because a writer in
 * another process may still put a last batch into a segment that was just full.
 */
import type { LogFilter, LogLine } from '../core/ports/log-store.ts';
import { decodeRecord, matches } from './record.ts';
import { listSegments, segmentPath } from './segments.ts';
import { openIfThere, type Positions } from './tail.ts';

const chunkBytes = 64 * 1024;
const newline = 0x0a;

export class SegmentReader {
  readonly #folder: string;
  readonly #filter: LogFilter;
  readonly #positions: Positions;

  /** `positions` says what was read before; the reader goes on from there and keeps the map up to date. */
  constructor(folder: string, filter: LogFilter, positions: Positions) {
    this.#folder = folder;
    this.#filter = filter;
    this.#positions = positions;
  }

  /** Hands every new matching line to `take`, in order. False when the stream is not there (any more). */
  async readNew(take: (lines: LogLine[]) => void): Promise<boolean> {
    const numbers = await listSegments(this.#folder);
    const newest = numbers.at(-1);
    const known = Math.max(0, ...this.#positions.keys());
    if (newest === undefined || newest < known) {
      // Removed, and perhaps begun again from the first segment.
      this.#positions.clear();
      if (newest === undefined) return false;
    }
    for (const number of numbers) {
      if (number < known - 1 && newest !== undefined && newest >= known) continue;
      await this.#readSegment(number, take);
    }
    for (const number of this.#positions.keys()) {
      if (newest !== undefined && number < newest - 1) this.#positions.delete(number);
    }
    return true;
  }

  async #readSegment(number: number, take: (lines: LogLine[]) => void): Promise<void> {
    const handle = await openIfThere(segmentPath(this.#folder, number));
    if (handle === null) return;
    try {
      const { size } = await handle.stat();
      let position = this.#positions.get(number) ?? 0;
      if (position > size) position = 0;
      let rest: Buffer = Buffer.alloc(0);
      for (;;) {
        const buffer = Buffer.allocUnsafe(chunkBytes);
        const { bytesRead } = await handle.read(buffer, 0, chunkBytes, position + rest.length);
        if (bytesRead === 0) break;
        const bytes = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
        const end = bytes.lastIndexOf(newline) + 1;
        rest = bytes.subarray(end);
        position += end;
        if (end > 0) take(this.#decode(bytes.toString('utf8', 0, end - 1)));
      }
      this.#positions.set(number, position);
    } finally {
      await handle.close();
    }
  }

  #decode(text: string): LogLine[] {
    const lines: LogLine[] = [];
    for (const record of text.split('\n')) {
      const line = decodeRecord(record);
      if (line !== null && matches(line, this.#filter)) lines.push(line);
    }
    return lines;
  }
}
