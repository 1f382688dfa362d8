/** A small JSON file of the agent's own, replaced whole so that a kill in between leaves the old one. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** Null when there is none. Throws when it cannot be read: nothing may be forgotten silently. */
export function readKept<T>(path: string): T | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Mode 0600. */
export function writeKept(path: string, value: unknown): void {
  writeFileSync(`${path}.new`, JSON.stringify(value), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
