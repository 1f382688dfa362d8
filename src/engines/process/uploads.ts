/** Files that a one-off is given: copied into its own `/tmp` before it runs, so that nothing of the host is shown inside. */
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { InstanceSpec } from '../../core/ports/engine.ts';
import type { SandboxPlan } from './sandbox-arguments.ts';

const nameForm = /^(?!\.{1,2}$)[^/\0]{1,255}$/;

/** Throws words for the app's owner without a sandbox, where `/tmp` is everybody's. */
export async function putUploads(
  uploads: NonNullable<InstanceSpec['uploads']>,
  { mode, temporaryFolder, uid }: Pick<SandboxPlan, 'mode' | 'temporaryFolder' | 'uid'>,
): Promise<void> {
  if (uploads.length === 0) return;
  if (mode === 'none') throw new Error('files can be given to a one-off in a sandbox only');
  const folder = join(temporaryFolder, 'uploads');
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  for (const { name, path } of uploads) {
    if (!nameForm.test(name)) throw new Error('an uploaded file has a name that none can have');
    const file = join(folder, name);
    await copyFile(path, file);
    chmodSync(file, 0o644);
    if (uid !== null) chownSync(file, uid, uid);
  }
  if (uid !== null) chownSync(folder, uid, uid);
}
