/**
 * The unpacked source as the platform itself touches it. User code may have run in it, so every path is treated as hostile: links are
 * never followed, pipes never waited for, sizes limited. Only to be used while no job writes to the tree.
 */
import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildFailure } from '../core/ports/builder.ts';
import { removeTree } from './artifacts/remove-tree.ts';

const textBytes = 1024 * 1024;

export class SourceTree {
  /** The host's path. */
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Whether there is a regular file of that name. */
  async hasFile(name: string): Promise<boolean> {
    return (await this.#kind(name)) === 'file';
  }

  async hasFolder(name: string): Promise<boolean> {
    return (await this.#kind(name)) === 'folder';
  }

  /** Names of what lies in a folder; empty when it is none. */
  async list(name = '.'): Promise<string[]> {
    return (await this.#kind(name)) === 'folder' ? readdir(join(this.path, name)) : [];
  }

  /** A regular file's text without a byte order mark; null when there is none. Throws BuildFailure `source` above 1 MiB. */
  async readText(name: string): Promise<string | null> {
    if ((await this.#kind(name)) !== 'file') return null;
    const handle = await open(join(this.path, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const { size } = await handle.stat();
      if (size > textBytes) throw new BuildFailure('source', `${name} is larger than 1 MiB`);
      return (await handle.readFile('utf8')).replace(/^\uFEFF/, '');
    } finally {
      await handle.close();
    }
  }

  /** A file that holds a JSON object; null when there is none. Throws BuildFailure `source` when it holds anything else. */
  async readJson(name: string): Promise<Record<string, unknown> | null> {
    const text = await this.readText(name);
    if (text === null) return null;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw new BuildFailure('source', `${name} is not valid JSON: ${(error as Error).message}`);
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new BuildFailure('source', `${name} does not hold a JSON object`);
    }
    return value as Record<string, unknown>;
  }

  /** Writes a file of the platform's, in the root or one folder below it, in place of any other. */
  async writeText(name: string, text: string): Promise<void> {
    const [folder, file] = name.split('/');
    if (folder !== undefined && file !== undefined) {
      const kind = await this.#kind(folder);
      if (kind !== null && kind !== 'folder') throw new BuildFailure('source', `${folder} must be a folder`);
      if (kind === null) await mkdir(join(this.path, folder), { mode: 0o755 });
    }
    await rm(join(this.path, name), { force: true, recursive: true });
    const handle = await open(join(this.path, name), 'wx', 0o644);
    try {
      await handle.writeFile(text);
    } finally {
      await handle.close();
    }
  }

  async remove(name: string): Promise<void> {
    await removeTree(join(this.path, name));
  }

  /** Null for nothing, links and special files alike. */
  async #kind(name: string): Promise<'file' | 'folder' | null> {
    let at = this.path;
    const parts = name.split('/').filter((part) => part !== '.');
    let stats = await lstat(at);
    for (const part of parts) {
      at = join(at, part);
      const next = await lstat(at).catch(() => null);
      if (next === null || !stats.isDirectory()) return null;
      stats = next;
    }
    if (stats.isFile()) return 'file';
    return stats.isDirectory() ? 'folder' : null;
  }
}
