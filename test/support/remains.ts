/** What an install has on the machine beside its files: to be nothing once it has stopped. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { findLeftovers } from '../../setup/testing/leftovers.ts';
import { run } from '../../src/lib/exec.ts';
import { until } from './until.ts';

/** In words, each process, interface, network namespace, mount, control group and firewall chain of the install. */
async function remainsOf(dataFolder: string): Promise<readonly string[]> {
  const id = createHash('sha256').update(dataFolder).digest('hex').slice(0, 12);
  const prefix = `bth${id.slice(0, 6)}`;
  const named = async (folder: string, start: string): Promise<string[]> =>
    (await readdir(folder).catch(() => [])).filter((name) => name.startsWith(start)).map((name) => `${folder}/${name}`);
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .filter((line) => line.includes(dataFolder));
  return [
    ...findLeftovers(dataFolder).map(({ pid, command }) => `process ${pid} ${command}`),
    ...(await named('/run/netns', prefix)),
    ...(await named('/sys/class/net', prefix)),
    ...mounts,
    ...(await controlGroups(id)),
    ...(await chains(prefix)),
  ];
}

/** The kernel takes some of it away after the last process has ended. */
export async function untilNothingRemains(dataFolder: string): Promise<void> {
  let left: readonly string[] = [];
  await until('nothing of it is left', async () => {
    left = await remainsOf(dataFolder);
    return left.length === 0;
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${left.join('\n')}`);
  });
}

async function controlGroups(id: string): Promise<string[]> {
  const result = await run(['find', '/sys/fs/cgroup', '-maxdepth', '4', '-type', 'd', '-name', `*${id}*`], {
    environment: { PATH: '/usr/bin:/bin' },
    timeoutMs: 10_000,
  });
  return result.stdout.split('\n').filter(Boolean);
}

async function chains(prefix: string): Promise<string[]> {
  if (!existsSync('/usr/sbin/iptables')) return [];
  const found: string[] = [];
  for (const table of ['filter', 'nat']) {
    const result = await run(['/usr/sbin/iptables', '-w', '10', '-t', table, '-S'], {
      environment: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
      timeoutMs: 20_000,
    });
    found.push(...result.stdout.split('\n').filter((line) => line.includes(prefix)));
  }
  return found;
}
