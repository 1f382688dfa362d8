/** Files that a one-off is given: copied into its own `/tmp` before it runs, so that nothing of the host is shown inside. */
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Uploads, uploadRefusal } from '../common/upload-names.ts';
import type { SandboxPlan } from './sandbox-arguments.ts';

/** Throws words for the app's owner without a sandbox, where `/tmp` is everybody's. */
export async function putUploads(
  uploads: Uploads,
  { mode, temporaryFolder, uid }: Pick<SandboxPlan, 'mode' | 'temporaryFolder' | 'uid'>,
): Promise<void> {
  if (uploads.length === 0) return;
  if (mode === 'none') throw new Error('files can be given to a one-off in a sandbox only');
  const refusal = uploadRefusal(uploads);
  if (refusal !== null) throw new Error(refusal);
  const folder = join(temporaryFolder, 'uploads');
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  for (const { name, path } of uploads) {
    const file = join(folder, name);
    await copyFile(path, file);
    chmodSync(file, 0o644);
    if (uid !== null) chownSync(file, uid, uid);
  }
  if (uid !== null) chownSync(folder, uid, uid);
}
