/**
 * The compile cache, filled before the parts start: a part that finds its code there never loads what strips the types, which costs more
 * memory than most parts need. `berth warm` fills it in a process of its own, because that memory does not come back.
 */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../lib/exec.ts';

/** The file that says that the cache was filled. */
export const MARK = 'warm';
const WARM_MS = 20_000;

/** Flags of every process of the platform; the cache is kept apart by them, so who fills it needs the same. */
export const nodeFlags = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=6'] as const;

export const compileCacheOf = (dataFolder: string): string => join(dataFolder, 'cache', 'node');

/** Fills the cache unless that was done before. Never throws: without it the parts only start slower and bigger. */
export async function warmCompileCache(folder: string): Promise<void> {
  const known = await access(join(folder, MARK)).then(
    () => true,
    () => false,
  );
  if (known) return;
  const script = join(import.meta.dirname, 'berth.ts');
  await run([process.execPath, ...nodeFlags, script, 'warm'], {
    environment: { NODE_COMPILE_CACHE: folder },
    timeoutMs: WARM_MS,
  }).catch(() => {});
}
