/**
 * Writes an archive's entries below a folder. Nothing of the archive can make it write elsewhere: symbolic links are kept in memory
 * and made only after the last file, so while files are written every folder on the way is one that this writer made.
 * Ownership, times and special mode bits of the archive are dropped; what stays of a mode is whether a file may be executed.
 */
import { link, mkdir, open, rename, rmdir, symlink, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildFailure } from '../../core/ports/builder.ts';
import { type BuildLimits, formatBytes } from '../limits.ts';
import { linkProblem } from './link-check.ts';
import { refused, splitTreePath } from './tree-path.ts';

export interface ArchiveLimits
  extends Pick<BuildLimits, 'unpackedBytes' | 'entries' | 'ratio' | 'pathBytes' | 'depth'> {
  /** A single top folder of this name is content; any other is left out. */
  readonly keepTop?: string;
}

export interface TreeSummary {
  readonly entries: number;
  readonly sizeBytes: number;
}

const ratioFloorBytes = 32 * 1024 * 1024;

export class TreeWriter {
  readonly #root: string;
  readonly #limits: ArchiveLimits;
  /** Bytes of the archive that were read so far, for the ratio. */
  readonly #bytesRead: () => number;
  readonly #kinds = new Map<string, 'folder' | 'file' | 'link'>();
  readonly #links = new Map<string, string>();
  #entries = 0;
  #sizeBytes = 0;

  /** `root` is an empty folder that only this writer writes to. */
  constructor(root: string, limits: ArchiveLimits, bytesRead: () => number) {
    this.#root = root;
    this.#limits = limits;
    this.#bytesRead = bytesRead;
  }

  async folder(path: string): Promise<void> {
    this.#count();
    const components = splitTreePath(path, this.#limits);
    await this.#makeFolders(path, components);
  }

  async file(path: string, executable: boolean, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    this.#count();
    const [key, full] = await this.#place(path, 'file');
    const handle = await open(full, 'wx', executable ? 0o755 : 0o644);
    try {
      for await (const chunk of bytes) {
        this.#grow(chunk.length);
        await handle.writeFile(chunk);
      }
    } finally {
      await handle.close();
    }
    this.#kinds.set(key, 'file');
  }

  async hardLink(path: string, target: string): Promise<void> {
    this.#count();
    const from = splitTreePath(target, this.#limits).join('/');
    if (this.#kinds.get(from) !== 'file')
      throw refused(path, 'is a hard link to something that is no file of the archive');
    if (from === splitTreePath(path, this.#limits).join('/')) return;
    const [key, full] = await this.#place(path, 'file');
    await link(join(this.#root, from), full);
    this.#kinds.set(key, 'file');
  }

  async symbolicLink(path: string, target: string): Promise<void> {
    this.#count();
    if (Buffer.byteLength(target) > this.#limits.pathBytes) throw refused(path, 'is a link with too long a target');
    const [key] = await this.#place(path, 'link');
    this.#kinds.set(key, 'link');
    this.#links.set(key, target);
  }

  /** Steps out of a single top folder, checks all links, makes them. The tree is complete when it resolves. */
  async finish(): Promise<TreeSummary> {
    if (this.#kinds.size === 0) throw new BuildFailure('source', 'the archive is empty');
    const top = await this.#unwrap();
    const links = new Map<string, string>();
    for (const [key, target] of this.#links) links.set(top === null ? key : key.slice(top.length + 1), target);
    for (const [key, target] of links) {
      const problem = linkProblem(key, links);
      if (problem !== null) throw refused(key, `${problem} (to ${JSON.stringify(target.slice(0, 120))})`);
    }
    for (const [key, target] of links) await symlink(target, join(this.#root, key));
    return { entries: this.#entries, sizeBytes: this.#sizeBytes };
  }

  /** An archive whose only top entry is a folder holds the source inside it. Returns that folder's name. */
  async #unwrap(): Promise<string | null> {
    const tops = new Set([...this.#kinds.keys()].map((key) => key.split('/')[0] ?? ''));
    const [top] = tops;
    if (
      top === undefined ||
      tops.size !== 1 ||
      top === this.#limits.keepTop ||
      this.#kinds.get(top) !== 'folder' ||
      this.#kinds.size === 1
    )
      return null;
    const aside = join(this.#root, '..', `unwrap-${process.pid}-${top.length}`);
    await rename(join(this.#root, top), aside);
    await rmdir(this.#root);
    await rename(aside, this.#root);
    return top;
  }

  #count(): void {
    this.#entries += 1;
    if (this.#entries > this.#limits.entries) {
      throw new BuildFailure('source', `the archive is refused: more than ${this.#limits.entries} entries`);
    }
  }

  #grow(bytes: number): void {
    this.#sizeBytes += bytes;
    if (this.#sizeBytes > this.#limits.unpackedBytes) {
      throw new BuildFailure(
        'source',
        `the archive is refused: more than ${formatBytes(this.#limits.unpackedBytes)} unpacked`,
      );
    }
    if (this.#sizeBytes > ratioFloorBytes && this.#sizeBytes > this.#limits.ratio * Math.max(this.#bytesRead(), 1)) {
      throw new BuildFailure(
        'source',
        `the archive is refused: it unpacks to more than ${this.#limits.ratio} times its size`,
      );
    }
  }

  /** Makes room for a file or link: parents exist, an earlier file of that name gives way. */
  async #place(path: string, kind: 'file' | 'link'): Promise<[key: string, full: string]> {
    const components = splitTreePath(path, this.#limits);
    if (components.length === 0) throw refused(path, 'names the root');
    await this.#makeFolders(path, components.slice(0, -1));
    const key = components.join('/');
    const full = join(this.#root, key);
    const there = this.#kinds.get(key);
    if (there !== undefined && (there !== 'file' || kind !== 'file')) throw refused(path, 'is in the archive twice');
    if (there === 'file') await unlink(full);
    return [key, full];
  }

  async #makeFolders(path: string, components: readonly string[]): Promise<void> {
    let key = '';
    for (const component of components) {
      key = key === '' ? component : `${key}/${component}`;
      const there = this.#kinds.get(key);
      if (there === 'folder') continue;
      if (there !== undefined) throw refused(path, `goes through ${JSON.stringify(key)}, which is a ${there}`);
      await mkdir(join(this.#root, key), { mode: 0o755 });
      this.#kinds.set(key, 'folder');
      if (this.#kinds.size > this.#limits.entries) {
        throw new BuildFailure('source', `the archive is refused: more than ${this.#limits.entries} entries`);
      }
    }
  }
}
