/** Carries what is in a volume from one machine to another, with owners, modes and links, and compares both before it says that it is done. */
import type { DockerApi } from '../api/docker-api.ts';
import type { ContainerSummary } from '../api/shapes.ts';
import type { DockerNode } from '../docker-node.ts';
import type { Names } from '../names.ts';
import { runIn } from '../run-in.ts';
import { ensureRunning, removeContainer } from '../standing-container.ts';

export interface Carry {
  readonly names: Names;
  readonly volumeId: string;
  readonly from: DockerNode;
  readonly to: DockerNode;
}

const folder = '/volume';
const limits = { Memory: 256 * 2 ** 20, PidsLimit: 64 };
const rights = ['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FOWNER', 'CAP_FSETID'];
/** For the largest volume over the slowest wire; one that hangs must not hold its place for ever. */
const carryMs = 6 * 3_600_000;
/** To look through all of its files. */
const inventoryMs = 600_000;
/**
 * A line for everything in it, without times and without the sizes of folders, which file systems count as they like. Sockets, which die with
 * their process, are in no archive, nor are devices where a daemon has user namespaces. Source: moby, pkg/archive.
 */
const inventory = `
cd ${folder}
find . ! -type s ! -type b ! -type c '(' -type f -printf 'f %m %U %G %s %p\\n' -o -type l -printf 'l %U %G %l %p\\n' -o -printf '%y %m %U %G %p\\n' ')' | LC_ALL=C sort | sha256sum
find . -type f | wc -l
`;

/** The volume must be empty, or not be there, on the machine that it goes to. Rejects when both are not the same in the end. */
export async function carryVolume({ names, volumeId, from, to }: Carry): Promise<void> {
  const name = names.mover(volumeId);
  await to.parts.volumes.ensure(volumeId);
  try {
    await Promise.all([from, to].map((node) => ensureRunning(node.api, name, () => mover(node, names, volumeId))));
    // By its name, not as what is in it: Docker keeps the owner and mode of every folder but of the one that it unpacks into.
    const bytes = await from.api.stream('GET', `/containers/${name}/archive`, { query: { path: folder } });
    await to.api.call('PUT', `/containers/${name}/archive`, {
      query: { path: '/' },
      content: { type: 'application/x-tar', bytes },
      timeoutMs: carryMs,
    });
    const look = ({ api }: DockerNode): Promise<string> =>
      runIn({ api, container: name, limitMs: inventoryMs }, inventory);
    const [was, is] = await Promise.all([from, to].map(look));
    if (was !== is) throw new Error(`a volume did not arrive whole: ${was?.trim()} there, ${is?.trim()} here`);
  } finally {
    await Promise.allSettled([from, to].map(({ api }) => removeContainer(api, name)));
  }
}

/** Those that a server left which ended in the middle. */
export async function removeMovers(api: DockerApi, names: Names): Promise<void> {
  const query = { all: true, filters: names.filters('mover') };
  const left = await api.call<readonly ContainerSummary[]>('GET', '/containers/json', { query });
  await Promise.all(left.map(({ Id }) => removeContainer(api, Id)));
}

async function mover(node: DockerNode, names: Names, volumeId: string): Promise<object> {
  return {
    Image: await node.parts.stack.ensure(),
    Entrypoint: ['/bin/sleep'],
    Cmd: ['infinity'],
    User: '0:0',
    Labels: names.labels('mover'),
    HostConfig: {
      ...limits,
      NetworkMode: 'none',
      Init: true,
      CapDrop: ['ALL'],
      CapAdd: rights,
      SecurityOpt: ['no-new-privileges'],
      LogConfig: { Type: 'none' },
      Mounts: [{ Type: 'volume', Source: names.volume(volumeId), Target: folder }],
    },
  };
}
