/** Packs a source as the context of its Dockerfile: a tar, made while it is read, without what `.dockerignore` keeps out. */
import { constants, createReadStream } from 'node:fs';
import { lstat, open, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Pack, pack } from 'tar-stream';
import type { SourceTree } from '../source-tree.ts';
import { type DockerIgnore, dockerIgnore } from './docker-ignore.ts';

/** Nobody may write to the tree meanwhile. Throws BuildFailure `source` for a `.dockerignore` that cannot be understood. */
export async function packContext(tree: SourceTree, dockerfile: string): Promise<Readable> {
  // As BuildKit does: the Dockerfile's own list comes first.
  const text = (await tree.readText(`${dockerfile}.dockerignore`)) ?? (await tree.readText('.dockerignore')) ?? '';
  const ignore = dockerIgnore(text);
  const tar = pack();
  const context = Readable.from(tar, { objectMode: false });
  addFolder(tar, tree.path, '', (path) => path !== dockerfile && ignore.excludes(path), ignore).then(
    () => tar.finalize(),
    (error: Error) => tar.destroy(error),
  );
  return context;
}

async function addFolder(
  tar: Pack,
  root: string,
  folder: string,
  leavesOut: (path: string) => boolean,
  ignore: DockerIgnore,
): Promise<void> {
  for (const name of (await readdir(join(root, folder))).sort()) {
    // Nobody reads any more: the build is over.
    if (tar.destroyed) return;
    const path = folder === '' ? name : `${folder}/${name}`;
    const stats = await lstat(join(root, path));
    const isOut = leavesOut(path);
    // Who built and when is no part of what was built, but for tools that compare times.
    const common = { name: path, mtime: stats.mtime, mode: stats.mode & 0o111 ? 0o755 : 0o644, uid: 0, gid: 0 };
    if (stats.isDirectory()) {
      if (!isOut) tar.entry({ ...common, type: 'directory', mode: 0o755 });
      if (!isOut || ignore.hasExceptions) await addFolder(tar, root, path, leavesOut, ignore);
    } else if (isOut) continue;
    else if (stats.isSymbolicLink()) {
      tar.entry({ ...common, type: 'symlink', linkname: await readlink(join(root, path)) });
    } else if (stats.isFile()) await addFile(tar, join(root, path), { ...common, size: stats.size });
  }
}

async function addFile(tar: Pack, path: string, header: { readonly name: string; readonly size: number }) {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  await pipeline(createReadStream('', { fd: handle }), tar.entry(header));
}
