/** Who the processes of an image run as: who it says, by number, but for root under any name. */
import { posix } from 'node:path';
import { text } from 'node:stream/consumers';
import { extract } from 'tar-stream';
import type { DockerApi } from '../api/docker-api.ts';
import type { ContainerSummary } from '../api/shapes.ts';
import type { Names } from '../names.ts';
import { appRuns, isRoot, nameIn, numbered } from '../owner.ts';
import { removeContainer } from '../standing-container.ts';

export interface ImageUserParts {
  readonly api: DockerApi;
  readonly names: Names;
  /** Root stays root. */
  readonly allowRoot: boolean;
}

const passwd = '/etc/passwd';
const largestPasswd = 1024 * 1024;
const mostLinks = 8;
/** Looking takes a moment. */
const strayAfterMs = 60_000;

export interface ImageUser {
  /** As Docker names a user: `uid:gid`, or what the image says where that begins with a number already. */
  readonly user: string;
  /** The image would be root, and is the app's user in its place. */
  readonly insteadOfRoot: boolean;
}

/** Rejects, in words for the app's owner, when the image does not know the name it gives. */
export async function imageUser(parts: ImageUserParts, reference: string, said: string): Promise<ImageUser> {
  const root = { user: parts.allowRoot ? '0:0' : appRuns, insteadOfRoot: !parts.allowRoot };
  if (isRoot(said)) return root;
  const name = nameIn(said);
  if (name === null) return { user: said, insteadOfRoot: false };
  const user = numbered(said, await fileOf(parts, reference, passwd));
  if (user === null) throw new Error(`the image says USER ${said}, and its ${passwd} knows no ${name}; give a number`);
  return isRoot(user) ? root : { user, insteadOfRoot: false };
}

/** Takes away what a client left that ended while it looked. */
export async function removeLooks(api: DockerApi, names: Names, now: Date): Promise<void> {
  const query = { all: true, filters: names.filters('look') };
  const found = await api.call<readonly ContainerSummary[]>('GET', '/containers/json', { query });
  const strays = found.filter(({ Created }) => Created * 1000 < now.getTime() - strayAfterMs);
  await Promise.all(strays.map(({ Id }) => removeContainer(api, Id)));
}

/** The text of a file in an image, links followed; empty where there is none. Through a container that never runs. */
async function fileOf({ api, names }: ImageUserParts, reference: string, path: string): Promise<string> {
  const body = {
    Image: reference,
    Entrypoint: [],
    Cmd: ['none'],
    NetworkDisabled: true,
    Labels: names.labels('look'),
    HostConfig: { NetworkMode: 'none', LogConfig: { Type: 'none' } },
  };
  const { Id } = await api.call<{ Id: string }>('POST', '/containers/create', { body });
  try {
    return await read(api, Id, path);
  } finally {
    await removeContainer(api, Id);
  }
}

async function read(api: DockerApi, container: string, path: string, links = 0): Promise<string> {
  const archive = await api.stream('GET', `/containers/${container}/archive`, { query: { path } });
  const entries = archive.pipe(extract());
  archive.once('error', (error) => entries.destroy(error));
  try {
    for await (const entry of entries) {
      const { type, size = 0, linkname } = entry.header;
      if (type === 'file' && size <= largestPasswd) return await text(entry);
      if (type !== 'symlink' || typeof linkname !== 'string' || links >= mostLinks) break;
      return await read(api, container, posix.resolve(posix.dirname(path), linkname), links + 1);
    }
    return '';
  } finally {
    archive.destroy();
  }
}
