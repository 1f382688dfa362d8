/** Where things lie in `$BERTH_DATA`. Rooms get their folder from here and know nothing of the others'. */

import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface DataFolder {
  readonly root: string;
  readonly admin: string;
  readonly key: string;
  readonly logs: string;
  readonly holder: string;
  readonly agentSocket: string;
  readonly routerSocket: string;
  readonly git: string;
  readonly gitSocket: string;
  readonly sshKeys: string;
  readonly up: string;
}

/** A socket's path may have 107 bytes; below a deep folder the sockets lie in a private folder under the temporary one. */
const SOCKET_PATH_MAX = 100;

export async function openDataFolder(root: string): Promise<DataFolder> {
  await mkdir(root, { recursive: true, mode: 0o755 });
  const inside = join(root, 'run');
  const uid = process.getuid?.() ?? 0;
  const run =
    join(inside, 'router.sock').length <= SOCKET_PATH_MAX
      ? inside
      : join(tmpdir(), `berth-${uid}-${createHash('sha256').update(root).digest('hex').slice(0, 12)}`);
  await mkdir(run, { recursive: true, mode: 0o700 });
  return {
    root,
    admin: join(root, 'admin.json'),
    key: join(root, 'secret.key'),
    logs: join(root, 'logs'),
    holder: join(root, 'server-id'),
    agentSocket: join(run, 'agent.sock'),
    routerSocket: join(run, 'router.sock'),
    git: join(root, 'git'),
    gitSocket: join(run, 'git.sock'),
    sshKeys: join(root, 'ssh'),
    up: join(root, 'up.pid'),
  };
}
