import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadDialerClient } from '../lib/dialer.ts';
import { MARK } from './compile-cache.ts';

/** `berth warm`: loads what every part loads; Node writes the cache when the process ends. */
export async function warmCommand(folder: string | undefined): Promise<void> {
  if (folder === undefined) return;
  await Promise.all([
    import('./up.ts'),
    import('./server.ts'),
    import('./router.ts'),
    import('./agent.ts'),
    import('./sample.ts'),
    loadDialerClient(),
  ]);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, MARK), '');
}
