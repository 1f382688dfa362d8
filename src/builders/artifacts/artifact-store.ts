/**
 * Artifacts by what they hold: `<data>/artifacts/<hex>/tree`, and `artifact.json` beside it. An artifact appears whole or not at all,
 * and never changes. Engines read the tree in place.
 */
import { mkdir, readdir, readFile, rename, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Ids } from '../../core/ports/clock.ts';
import { removeTree } from './remove-tree.ts';
import { sealTree } from './tree-digest.ts';

export interface ArtifactInfo {
  /** `sha256:<hex>`. */
  readonly digest: string;
  readonly sizeBytes: number;
  readonly processes: Readonly<Record<string, string>>;
  readonly buildpack: string;
  readonly createdAt: string;
}

export interface ArtifactStoreOptions {
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly ids: Ids;
}

export class ArtifactStore {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #ids: Ids;

  constructor({ dataFolder, clock, ids }: ArtifactStoreOptions) {
    this.#folder = join(dataFolder, 'artifacts');
    this.#clock = clock;
    this.#ids = ids;
  }

  /** Takes the folder `tree` (on the same file system) away from the caller and keeps it as an artifact. */
  async put(
    tree: string,
    what: Pick<ArtifactInfo, 'processes' | 'buildpack'>,
    signal: AbortSignal,
  ): Promise<ArtifactInfo & { readonly files: number }> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const aside = join(this.#folder, `.new-${this.#ids.token(8)}`);
    await mkdir(aside, { mode: 0o755 });
    try {
      await rename(tree, join(aside, 'tree'));
      const { digest, sizeBytes, files } = await sealTree(join(aside, 'tree'), signal);
      const info: ArtifactInfo = { digest, sizeBytes, ...what, createdAt: this.#clock.now().toISOString() };
      await writeFile(join(aside, 'artifact.json'), JSON.stringify(info, null, 2), { mode: 0o644, flush: true });
      await this.#publish(aside, digest);
      return { ...info, files };
    } finally {
      await removeTree(aside);
    }
  }

  /** Renames into place unless the same content is there already. */
  async #publish(aside: string, digest: string): Promise<void> {
    try {
      await rename(aside, this.#path(digest));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
      await this.touch(digest);
    }
  }

  /** Null when there is no such artifact. */
  async get(digest: string): Promise<ArtifactInfo | null> {
    if (hexOf(digest) === null) return null;
    try {
      return JSON.parse(await readFile(join(this.#path(digest), 'artifact.json'), 'utf8')) as ArtifactInfo;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }

  /** Counts as new again for `prune`. */
  async touch(digest: string): Promise<void> {
    const now = this.#clock.now();
    await utimes(join(this.#path(digest), 'artifact.json'), now, now);
  }

  /** Deletes artifacts not in `keep` (digests) that are older than `graceMs`, and what crashes left behind. */
  async prune(keep: ReadonlySet<string>, graceMs: number): Promise<{ removed: number; freedBytes: number }> {
    let removed = 0;
    let freedBytes = 0;
    const oldest = this.#clock.now().getTime() - graceMs;
    for (const name of await readdir(this.#folder).catch(() => [] as string[])) {
      const path = join(this.#folder, name);
      const digest = `sha256:${name}`;
      if (keep.has(digest)) continue;
      const info = await this.get(digest);
      const age = await stat(info === null ? path : join(path, 'artifact.json')).catch(() => null);
      if (age === null || age.mtimeMs > oldest) continue;
      // Out of sight first, so that a half-deleted artifact is never found.
      const aside = name.startsWith('.') ? path : join(this.#folder, `.old-${this.#ids.token(8)}`);
      if (aside !== path) await rename(path, aside);
      await removeTree(aside);
      if (info === null) continue;
      removed += 1;
      freedBytes += info.sizeBytes;
    }
    return { removed, freedBytes };
  }

  #path(digest: string): string {
    return join(this.#folder, hexOf(digest) ?? '.none');
  }
}

/** The folder name of a digest, or null when the text is none. */
function hexOf(digest: string): string | null {
  return /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1] ?? null;
}
