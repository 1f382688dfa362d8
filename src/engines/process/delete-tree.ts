/** Deletes a folder that an app could write to, whatever the app did to its rights. */
import { rm } from 'node:fs/promises';
import { run } from '../../lib/exec.ts';
import { helperEnvironment } from './settings.ts';

/** A folder that is not there is no error. Rejects when something in it cannot be deleted. */
export async function deleteTree(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
    // The app may have taken away its own right to write in a folder; without root that would keep it for ever.
    const argv = ['chmod', '-R', 'u+rwX', '--', folder];
    const result = await run(argv, { environment: helperEnvironment, timeoutMs: 600_000 });
    if (result.code !== 0) throw new Error(`chmod: ${result.stderr.trim()}`);
    await rm(folder, { recursive: true, force: true });
  }
}
