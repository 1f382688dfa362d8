/** Volumes of this install on the daemon: named by their id, and never removed with a container. */
import { posix } from 'node:path';
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
import { removeContainer } from './standing-container.ts';

/** Where a tar entry's head has the mode and the number of its user, in octal. Source: POSIX.1-1988, ustar. */
const modeAt = 100;
const uidAt = 108;
const uidEnd = 116;
const typeAt = 156;
const folderType = '5';
const folderMode = 0o755;
const modeBits = 0o7777;

type GivenTo = Pick<RunnableImage, 'reference' | 'user' | 'own' | 'readOnly' | 'insteadOfRoot' | 'volumes'>;

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
   * above them. A volume that is somebody's already stays theirs. Only the app's user takes it over, and what the image calls volumes: root,
   * in whose place it runs, could use them too.
   */
  async give(container: string, mounts: readonly Mount[], image: GivenTo): Promise<void> {
    const owner = ownerOf(image.user);
    const tar = pack();
    let entries = 0;
    for (const path of new Set([...mounts.map((mount) => mount.path), ...foldersOfImage(image)])) {
      const had = await this.#headOf(container, path);
      const becomes = had.isFolder && had.uid !== owner.uid && (had.uid === 0 || owner.uid === appUser);
      const folders = image.own ? foldersOfApp(path).map((folder) => ({ folder, mode: folderMode })) : [];
      if (becomes) folders.push({ folder: path, mode: had.mode });
      for (const { folder, mode } of folders) {
        tar.entry({ name: `${folder.slice(1)}/`, type: 'directory', mode, ...owner });
        entries += 1;
      }
    }
    tar.finalize();
    if (entries === 0) return;
    const content = { type: 'application/x-tar', bytes: await buffer(tar) };
    await this.#beside(container, image, (name) =>
      this.#api.call('PUT', `/containers/${name}/archive`, { query: { path: '/' }, content }),
    );
  }

  /**
   * Nothing is copied to the root of a container whose files are read-only, not even into its volumes: then another that has the same ones, and
   * never runs, is there for as long as `work` takes.
   */
  async #beside(container: string, image: GivenTo, work: (container: string) => Promise<void>): Promise<void> {
    if (image.readOnly !== true) return work(container);
    const body = {
      Image: image.reference,
      Entrypoint: [],
      Cmd: ['none'],
      NetworkDisabled: true,
      Labels: this.#names.labels('look'),
      HostConfig: { NetworkMode: 'none', LogConfig: { Type: 'none' }, VolumesFrom: [container] },
    };
    const { Id } = await this.#api.call<{ Id: string }>('POST', '/containers/create', { body });
    try {
      await work(Id);
    } finally {
      await removeContainer(this.#api, Id);
    }
  }

  /** Whose a folder is, and what they may do, from the head of the archive that Docker makes of it. */
  async #headOf(container: string, path: string): Promise<Head> {
    const stream = await this.#api.stream('GET', `/containers/${container}/archive`, { query: { path } });
    try {
      let head = Buffer.alloc(0);
      for await (const chunk of stream) {
        head = Buffer.concat([head, chunk as Buffer]);
        if (head.length > typeAt) break;
      }
      const text = (from: number, to: number): string => head.toString('latin1', from, to).replaceAll('\0', '');
      const octal = (from: number, to: number): number => Number.parseInt(text(from, to), 8);
      const isFolder = text(typeAt, typeAt + 1) === folderType;
      return { uid: octal(uidAt, uidEnd), mode: octal(modeAt, uidAt) & modeBits, isFolder };
    } finally {
      stream.destroy();
    }
  }
}

interface Head {
  readonly uid: number;
  readonly mode: number;
  /** Not a link to one. */
  readonly isFolder: boolean;
}

/** What root would have made its own when it began. */
const foldersOfImage = ({ insteadOfRoot, volumes = [] }: GivenTo): string[] =>
  insteadOfRoot === true ? volumes.map((path) => posix.resolve('/', path)).filter((path) => path !== '/') : [];

/** The folders between /app and a mount point below it, which Docker would make as root. */
function foldersOfApp(path: string): string[] {
  if (!path.startsWith('/app/')) return [];
  const names = path.split('/').slice(2, -1);
  return names.map((_, index) => ['/app', ...names.slice(0, index + 1)].join('/'));
}
