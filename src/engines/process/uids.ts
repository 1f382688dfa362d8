/**
 * Unprivileged users, one per app: stable numbers from a range of the install's own, kept in one file. No account is made on the host;
 * a number is enough for the kernel.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

const perInstall = 50_000;
const firstUid = 1_000_000;
const installs = 20_000;

export class Uids {
  readonly #path: string;
  readonly #base: number;
  readonly #known: Map<string, number>;

  /** `path` of the JSON file; `installId` in hex chooses the range. */
  constructor(path: string, installId: string) {
    this.#path = path;
    this.#base = firstUid + (Number.parseInt(installId.slice(0, 8), 16) % installs) * perInstall;
    this.#known = new Map(Object.entries(readJson(path)));
  }

  /** The number of an owner (an app id, or a word for builds); the first call remembers it for ever. */
  of(owner: string): number {
    const known = this.#known.get(owner);
    if (known !== undefined) return known;
    const uid = this.#base + this.#known.size;
    if (uid >= this.#base + perInstall) throw new Error('no unprivileged user is left in this install’s range');
    this.#known.set(owner, uid);
    writeFileSync(`${this.#path}.new`, JSON.stringify(Object.fromEntries(this.#known)), { mode: 0o600 });
    renameSync(`${this.#path}.new`, this.#path);
    return uid;
  }
}

function readJson(path: string): Record<string, number> {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, number>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}
