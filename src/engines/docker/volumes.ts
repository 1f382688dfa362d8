/** Volumes of this install on the daemon: named by their id, and never removed with a container. */

import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import { conflict } from '../../core/errors.ts';
import type { Mount } from '../../core/ports/engine.ts';
import type { DockerApi } from './api/docker-api.ts';
import { isStatus } from './api/docker-error.ts';
import type { Names } from './names.ts';
import { appUser } from './settings.ts';

/** Where a tar entry's head has the number of its user, in octal. Source: POSIX.1-1988, ustar. */
const uidAt = 108;
const uidEnd = 116;

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
   * Gives the app's user the mount points in a container that does not run yet, and the folders of its working copy above them. A volume
   * that is somebody's already stays as it is.
   */
  async give(container: string, mounts: readonly Mount[]): Promise<void> {
    const tar = pack();
    let entries = 0;
    for (const { path } of mounts) {
      const owned = (await this.#ownerOf(container, path)) === 0 ? [path] : [];
      for (const folder of [...foldersOfApp(path), ...owned]) {
        tar.entry({ name: `${folder.slice(1)}/`, type: 'directory', mode: 0o755, uid: appUser, gid: appUser });
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

  /** The user of a folder, from the head of the archive that Docker makes of it. */
  async #ownerOf(container: string, path: string): Promise<number> {
    const stream = await this.#api.stream('GET', `/containers/${container}/archive`, { query: { path } });
    try {
      let head = Buffer.alloc(0);
      for await (const chunk of stream) {
        head = Buffer.concat([head, chunk as Buffer]);
        if (head.length >= uidEnd) break;
      }
      return Number.parseInt(head.toString('latin1', uidAt, uidEnd).replaceAll('\0', ''), 8);
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
