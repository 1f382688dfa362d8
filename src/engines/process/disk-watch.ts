/** Ends jobs whose writable folders grew over their limit. Measures again only after ten times as long as a measure took. */
import { join } from 'node:path';
import { run } from '../../lib/exec.ts';
import { helperEnvironment } from './settings.ts';
import type { Unit } from './unit.ts';

const shortestMs = 500;

/** Goes on until the unit ends. */
export function watchDisk(unit: Unit): void {
  const { disk } = unit.state;
  if (disk === null || disk.folders.length === 0) return;
  let timer: NodeJS.Timeout | null = null;
  const look = async (): Promise<void> => {
    const before = performance.now();
    const used = await usedBytes([...disk.folders, join(unit.folder, 'tmp')]);
    if (unit.phase === 'exited') return;
    if (used > disk.bytes) return unit.stop(0, 'disk');
    timer = setTimeout(() => void look(), Math.max(shortestMs, (performance.now() - before) * 10));
  };
  timer = setTimeout(() => void look(), shortestMs);
  void unit.ended.then(() => {
    if (timer !== null) clearTimeout(timer);
  });
}

/** Bytes on disk below the folders; what vanishes while it is counted does not count. */
export async function usedBytes(folders: readonly string[]): Promise<number> {
  const argv = ['du', '-sxk', '--', ...folders];
  try {
    const result = await run(argv, { environment: helperEnvironment, timeoutMs: 600_000 });
    return [...result.stdout.matchAll(/^(\d+)\t/gm)].reduce((sum, [, kib]) => sum + Number(kib), 0) * 1024;
  } catch {
    return 0;
  }
}
