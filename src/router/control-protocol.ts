/** What goes over the router's control socket: one JSON object a line each way. */
import type { ErrorKind } from '../core/errors.ts';

export interface ControlRequest {
  readonly id: number;
  readonly verb: 'apply' | 'drain' | 'counters';
  readonly input: unknown;
}

export type ControlResponse =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: { readonly kind: ErrorKind; readonly message: string } };

const maxLineCharacters = 256 * 1024 * 1024;

/** Cuts a stream of text into lines; throws when one is longer than any table could be. */
export class LineSplitter {
  readonly #parts: string[] = [];
  #length = 0;

  /** Complete lines, without their ends. */
  push(text: string): readonly string[] {
    const lines = text.split('\n');
    const last = lines.pop() ?? '';
    if (lines.length > 0) {
      lines[0] = this.#parts.join('') + (lines[0] ?? '');
      this.#parts.length = 0;
      this.#length = 0;
    }
    this.#parts.push(last);
    this.#length += last.length;
    if (this.#length > maxLineCharacters) throw new RangeError('a control message is too long');
    return lines;
  }
}
