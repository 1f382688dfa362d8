/** Volumes of this install on the daemon: named by their id, and never removed with a container. */

import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import { conflict } from '../../core/errors.ts';
import type { Mount } from '../../core/ports/engine.ts';
import type { DockerApi } from './api/docker-api.ts';
import { isStatus } from './api/docker-error.ts';
import type { RunnableImage } from './images/runnable-images.ts';
import type { Names } from './names.ts';
import { ownerOf } from './owner.ts';
import { appUser } from './settings.ts';

/** Where a tar entry's head has the mode and the number of its user, in octal. Source: POSIX.1-1988, ustar. */
const modeAt = 100;
const uidAt = 108;
const uidEnd = 116;
const folderMode = 0o755;
const modeBits = 0o7777;

export class Volumes {
  readonly #api: DockerApi;
  readonly #names: Names;

  constructor(api: DockerApi, names: Names) {
    this.#api = api;
    this.#names = names;
  }

  async ensure(id: string): Promise<void> {
    const body = { Name: this.#names.volume(id), Labels: { 'berth.install': this.#names.installId } };
    await this.#api.call('POST', '/volumes/create', { body });
  }

  async list(): Promise<string[]> {
    const query = { filters: this.#names.filters() };
    const { Volumes: found } = await this.#api.call<{ Volumes: readonly { Name: string }[] | null }>(
      'GET',
      '/volumes',
      {
        query,
      },
    );
    return (found ?? []).flatMap(({ Name }) => this.#names.volumeId(Name) ?? []);
  }

  /** Unknown id: nothing to do. Rejects with conflict `volume-in-use` while a container mounts it. */
  async remove(id: string): Promise<void> {
    try {
      await this.#api.call('DELETE', `/volumes/${this.#names.volume(id)}`);
    } catch (error) {
      if (isStatus(error, 409)) throw conflict('volume-in-use', 'an instance mounts this volume', 'volume');
      if (!isStatus(error, 404)) throw error;
    }
  }

  /**
   * Gives whoever a container of `image`, which does not run yet, will run as the mount points in it, and the folders of the app's working copy
   * above them. A volume that is somebody's already stays theirs. Only the app's user takes it over: root, in whose place it runs, could use
   * it too.
   */
  async give(
    container: string,
    mounts: readonly Mount[],
    { user, own }: Pick<RunnableImage, 'user' | 'own'>,
  ): Promise<void> {
    const owner = ownerOf(user);
    const tar = pack();
    let entries = 0;
    for (const { path } of mounts) {
      const had = await this.#headOf(container, path);
      const becomes = had.uid !== owner.uid && (had.uid === 0 || owner.uid === appUser);
      const folders = own ? foldersOfApp(path).map((folder) => ({ folder, mode: folderMode })) : [];
      if (becomes) folders.push({ folder: path, mode: had.mode });
      for (const { folder, mode } of folders) {
        tar.entry({ name: `${folder.slice(1)}/`, type: 'directory', mode, ...owner });
        entries += 1;
      }
    }
    tar.finalize();
    if (entries === 0) return;
    await this.#api.call('PUT', `/containers/${container}/archive`, {
      query: { path: '/' },
      content: { type: 'application/x-tar', bytes: await buffer(tar) },
    });
  }

  /** Whose a folder is, and what they may do, from the head of the archive that Docker makes of it. */
  async #headOf(container: string, path: string): Promise<{ readonly uid: number; readonly mode: number }> {
    const stream = await this.#api.stream('GET', `/containers/${container}/archive`, { query: { path } });
    try {
      let head = Buffer.alloc(0);
      for await (const chunk of stream) {
        head = Buffer.concat([head, chunk as Buffer]);
        if (head.length >= uidEnd) break;
      }
      const octal = (from: number, to: number): number =>
        Number.parseInt(head.toString('latin1', from, to).replaceAll('\0', ''), 8);
      return { uid: octal(uidAt, uidEnd), mode: octal(modeAt, uidAt) & modeBits };
    } finally {
      stream.destroy();
    }
  }
}

/** The folders between /app and a mount point below it, which Docker would make as root. */
function foldersOfApp(path: string): string[] {
  if (!path.startsWith('/app/')) return [];
  const names = path.split('/').slice(2, -1);
  return names.map((_, index) => ['/app', ...names.slice(0, index + 1)].join('/'));
}
