/** What the engine remembers of an instance beside its labels, one file each: how far its output is in the log, and what was sent to it. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** How far one output is read: up to the last line of this time that was taken, of which there were `count`. */
export interface Mark {
  /** As Docker writes it, to the nanosecond. */
  readonly at: string;
  readonly count: number;
  /** The latest time before it, of any output, where that is later: the node's clock was set back. */
  readonly latest?: string;
}

export interface Note {
  readonly stdout: Mark | null;
  readonly stderr: Mark | null;
  /** It ended, and everything it printed is in the log. */
  readonly isComplete: boolean;
  /** The signal that the engine sent last. */
  readonly sent: string | null;
}

const blank: Note = { stdout: null, stderr: null, isComplete: false, sent: null };

export class Notes {
  readonly #folder: string;
  readonly #known = new Map<string, Note>();

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  of(id: string): Note {
    const known = this.#known.get(id) ?? this.#read(id);
    this.#known.set(id, known);
    return known;
  }

  change(id: string, change: Partial<Note>): void {
    const note = { ...this.of(id), ...change };
    this.#known.set(id, note);
    const path = this.#path(id);
    writeFileSync(`${path}.new`, JSON.stringify(note), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  forget(id: string): void {
    this.#known.delete(id);
    rmSync(this.#path(id), { force: true });
  }

  #read(id: string): Note {
    try {
      return JSON.parse(readFileSync(this.#path(id), 'utf8')) as Note;
    } catch {
      return blank;
    }
  }

  #path(id: string): string {
    return join(this.#folder, `${id}.json`);
  }
}
