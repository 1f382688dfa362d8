/**
 * Cuts the stream of a container without a terminal into its outputs. Each frame is eight bytes (stream, three zeros, length in network
 * order) and the payload. Source: Docker Engine API, "Stream format" of ContainerAttach.
 */
export interface OutputFrame {
  /** `daemon`: not the container's, but why the daemon ends the stream. Source: moby, pkg/stdcopy, Systemerr. */
  readonly source: 'stdout' | 'stderr' | 'daemon';
  readonly payload: Buffer;
}

const headBytes = 8;
/** By their number. The first is stdin, which comes back as stdout. */
const sources = ['stdout', 'stdout', 'stderr', 'daemon'] as const;
const largest = 16 * 1024 * 1024;

export class OutputFrames {
  #parts: Buffer[] = [];
  #held = 0;

  /** Frames that are complete by now. Throws for what is no such stream. */
  push(chunk: Buffer): OutputFrame[] {
    this.#parts.push(chunk);
    this.#held += chunk.length;
    const frames: OutputFrame[] = [];
    for (;;) {
      const length = this.#nextLength();
      if (length === null || this.#held < headBytes + length) return frames;
      const all = this.#joined();
      const source = sources[all[0] ?? 0] ?? 'stdout';
      frames.push({ source, payload: all.subarray(headBytes, headBytes + length) });
      const rest = all.subarray(headBytes + length);
      this.#parts = rest.length === 0 ? [] : [rest];
      this.#held = rest.length;
    }
  }

  /** Null while its head is not complete. */
  #nextLength(): number | null {
    if (this.#held < headBytes) return null;
    const [first] = this.#parts;
    const head = first !== undefined && first.length >= headBytes ? first : this.#joined();
    const length = head.readUInt32BE(4);
    if (length > largest || (head[0] ?? sources.length) >= sources.length)
      throw new Error('the daemon sent something else than output');
    return length;
  }

  #joined(): Buffer {
    const [only] = this.#parts;
    if (this.#parts.length === 1 && only !== undefined) return only;
    const all = Buffer.concat(this.#parts);
    this.#parts = [all];
    return all;
  }
}
