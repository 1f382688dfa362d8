/**
 * What builds of an app keep from one to the next. A build takes the cache away and puts it back at its end, so two builds of one app
 * never share it: the second starts with an empty one.
 */
import { mkdir, readdir, rename, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Ids } from '../core/ports/clock.ts';
import { removeTree } from './artifacts/remove-tree.ts';
import { treeBytes } from './artifacts/tree-bytes.ts';

export class BuildCaches {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #ids: Ids;

  constructor(dataFolder: string, clock: Clock, ids: Ids) {
    this.#folder = join(dataFolder, 'build-caches');
    this.#clock = clock;
    this.#ids = ids;
  }

  /** Moves the app's cache, or an empty one, to `target` on the same file system. `appId` is an id. */
  async take(appId: string, target: string): Promise<void> {
    try {
      await rename(join(this.#folder, appId), target);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      await mkdir(target, { mode: 0o755 });
    }
  }

  async giveBack(appId: string, target: string): Promise<void> {
    if ((await readdir(target)).length === 0) return;
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const now = this.#clock.now();
    await utimes(target, now, now);
    const older = join(this.#folder, `.old-${this.#ids.token(8)}`);
    await rename(join(this.#folder, appId), older).catch(() => {});
    await rename(target, join(this.#folder, appId));
    await removeTree(older);
  }

  /** An app without a cache is no error. */
  async remove(appId: string): Promise<void> {
    await removeTree(join(this.#folder, appId));
  }

  /** Deletes the caches that were unused the longest until at most `maxBytes` are left. */
  async prune(maxBytes: number): Promise<number> {
    const caches: { path: string; usedMs: number; sizeBytes: number }[] = [];
    for (const name of await readdir(this.#folder).catch(() => [] as string[])) {
      const path = join(this.#folder, name);
      const stats = await stat(path).catch(() => null);
      if (stats === null) continue;
      const usedMs = name.startsWith('.') ? 0 : stats.mtimeMs;
      caches.push({ path, usedMs, sizeBytes: await treeBytes(path) });
    }
    caches.sort((a, b) => b.usedMs - a.usedMs);
    let kept = 0;
    let freed = 0;
    for (const { path, sizeBytes } of caches) {
      kept += sizeBytes;
      if (kept <= maxBytes) continue;
      await removeTree(path);
      freed += sizeBytes;
    }
    return freed;
  }
}
