/** Remembers which artifact came of which source and inputs, so that the same source twice builds once. Only a hint: may be deleted. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ids } from '../../core/ports/clock.ts';

export interface BuiltBefore {
  readonly digest: string;
  readonly sizeBytes: number;
  readonly processes: Readonly<Record<string, string>>;
  readonly buildpack: string;
}

export class SourceIndex {
  readonly #folder: string;
  readonly #ids: Ids;

  constructor(dataFolder: string, ids: Ids) {
    this.#folder = join(dataFolder, 'build-index');
    this.#ids = ids;
  }

  /** One key for all that a build's outcome hangs on. The parts are digests or public texts, never secrets. */
  key(parts: readonly string[]): string {
    return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  }

  async get(key: string): Promise<BuiltBefore | null> {
    try {
      return JSON.parse(await readFile(join(this.#folder, key), 'utf8')) as BuiltBefore;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return null;
      throw error;
    }
  }

  async set(key: string, built: BuiltBefore): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const aside = join(this.#folder, `.new-${this.#ids.token(8)}`);
    await writeFile(aside, JSON.stringify(built), { mode: 0o600 });
    await rename(aside, join(this.#folder, key));
  }

  /** Forgets entries whose artifact is gone. */
  async prune(exists: (digest: string) => Promise<boolean>): Promise<void> {
    for (const name of await readdir(this.#folder).catch(() => [] as string[])) {
      if (name.startsWith('.')) continue;
      const entry = await this.get(name);
      if (entry === null || !(await exists(entry.digest))) await rm(join(this.#folder, name), { force: true });
    }
  }
}
