/** Packs a local folder as the source of a build: the way back of `unpack`, for the command line, the sample app and tests. */
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { pack } from 'tar-stream';

const skipped = new Set(['node_modules', '.git', '.venv', '__pycache__', '.DS_Store']);

/** A tar.gz of the folder's content, the same bytes whenever nothing changed. Leaves out what a build makes anew; holds it all in memory. */
export async function archiveFolder(path: string): Promise<Buffer> {
  const tar = pack();
  const chunks: Uint8Array[] = [];
  const reading = (async () => {
    for await (const chunk of tar) chunks.push(chunk as Uint8Array);
  })();
  await addFolder(tar, path, '');
  tar.finalize();
  await reading;
  return promisify(gzip)(Buffer.concat(chunks));
}

async function addFolder(tar: ReturnType<typeof pack>, root: string, folder: string): Promise<void> {
  for (const name of (await readdir(join(root, folder))).sort()) {
    if (skipped.has(name)) continue;
    const key = folder === '' ? name : `${folder}/${name}`;
    const full = join(root, key);
    const stats = await lstat(full);
    const common = { name: key, mtime: new Date(0), mode: stats.mode & 0o111 ? 0o755 : 0o644 };
    if (stats.isDirectory()) {
      tar.entry({ ...common, type: 'directory', mode: 0o755 });
      await addFolder(tar, root, key);
    } else if (stats.isSymbolicLink()) {
      tar.entry({ ...common, type: 'symlink', linkname: await readlink(full) });
    } else if (stats.isFile()) {
      tar.entry(common, await readFile(full));
    }
  }
}
