/** Reads what the inner script wrote about the end of its command. The app could write there too: bounded, and never trusted for more. */
import { closeSync, openSync, readSync } from 'node:fs';
import { constants } from 'node:os';

export interface ExitRecord {
  /** The inner script came as far as running the command. */
  readonly started: boolean;
  /** Null when the script was killed before it could say. */
  readonly status: { readonly code: number | null; readonly signal: string | null } | null;
}

const byNumber = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));
/** Shells stay silent about a child that one of these ended, so 128 + number alone has to do. */
const silent = new Set<number>([constants.signals.SIGINT, constants.signals.SIGPIPE]);

/** `text` is the exit file's content: `started`, then perhaps the shell's word for a signal, then `exit <status>`. */
export function parseExitFile(text: string): ExitRecord {
  const lines = text.split('\n').filter(Boolean);
  const status = /^exit (\d{1,3})$/.exec(lines.at(-1) ?? '')?.[1];
  const started = lines.includes('started');
  if (status === undefined) return { started, status: null };
  const number = Number(status) - 128;
  const name = byNumber.get(number as never);
  const said = lines.slice(lines.indexOf('started') + 1, -1).length > 0;
  if (name !== undefined && (said || silent.has(number))) {
    return { started, status: { code: null, signal: name } };
  }
  return { started, status: { code: Number(status), signal: null } };
}

/** Reads at most the first 4 KiB; a missing file reads as empty. */
export function readExitFile(path: string): ExitRecord {
  try {
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(4096);
      return parseExitFile(bytes.toString('utf8', 0, readSync(file, bytes)));
    } finally {
      closeSync(file);
    }
  } catch {
    return { started: false, status: null };
  }
}
