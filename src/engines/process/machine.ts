/** What this machine lets the agent do, found out once at start by trying it. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../lib/exec.ts';
import type { Cgroups } from './cgroup.ts';
import { openCgroups } from './cgroups.ts';
import { helperEnvironment, helperPath } from './settings.ts';

export interface Machine {
  readonly root: boolean;
  /** `root`: bubblewrap as root, dropping to the app's user. `user`: bubblewrap in a user namespace. `none`: plain processes. */
  readonly sandbox: 'root' | 'user' | 'none';
  /** A network namespace per space behind a firewall. */
  readonly network: boolean;
  readonly overlay: boolean;
  readonly cgroups: Cgroups | null;
  /** Words in front of a job's command that give way to everything else. */
  readonly lowPriority: readonly string[];
  /** Why isolation that was asked for is not in force. */
  readonly missing: readonly string[];
}

const find = (program: string): boolean =>
  helperPath.split(':').some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

async function works(argv: readonly string[]): Promise<boolean> {
  try {
    return (await run(argv, { environment: helperEnvironment, timeoutMs: 10_000 })).code === 0;
  } catch {
    return false;
  }
}

/** `installId` names this install's control groups. Never rejects: what cannot be had is listed in `missing`. */
export async function probeMachine(
  installId: string,
  isolation: 'auto' | 'none',
  useCgroups: boolean,
): Promise<Machine> {
  const root = process.getuid?.() === 0;
  const cgroups = useCgroups ? openCgroups(installId) : null;
  const lowPriority = [
    ...(find('nice') ? ['nice', '-n', '10'] : []),
    ...(find('ionice') ? ['ionice', '-c', '3', '-t'] : []),
  ];
  const missing: string[] = [];
  if (isolation === 'none') {
    return { root, sandbox: 'none', network: false, overlay: false, cgroups, lowPriority, missing: ['switched off'] };
  }
  let sandbox: Machine['sandbox'] = 'none';
  const lack = ['bwrap', 'nsenter', 'setpriv'].filter((program) => !find(program));
  if (lack.length > 0) missing.push(`not installed: ${lack.join(', ')}`);
  else {
    const probe = [
      'bwrap',
      '--unshare-pid',
      '--unshare-ipc',
      '--ro-bind',
      '/',
      '/',
      '--proc',
      '/proc',
      '--dev',
      '/dev',
    ];
    const words = root ? probe : ['bwrap', '--unshare-user', ...probe.slice(1)];
    if (await works([...words, '--', 'true'])) sandbox = root ? 'root' : 'user';
    else missing.push('bubblewrap may not make namespaces here');
  }
  let network = false;
  if (sandbox === 'root') {
    const tools = ['ip', 'iptables', 'iptables-restore'].filter((program) => !find(program));
    if (tools.length > 0) missing.push(`not installed: ${tools.join(', ')}`);
    else network = await works(['iptables', '-w', '5', '-t', 'nat', '-S', 'POSTROUTING']);
    if (tools.length === 0 && !network) missing.push('the firewall cannot be written');
  } else if (!root) missing.push('a network per space needs root');
  const overlay = sandbox === 'root' && find('mount') && readFileSync('/proc/filesystems', 'utf8').includes('overlay');
  return { root, sandbox, network, overlay, cgroups, lowPriority, missing };
}

/** The folder to show inside as `/opt/berth/node`, and whether it holds npm too; null where the runtime lies under /usr anyway. */
export function nodeFolder(nodePath: string): { readonly host: string; readonly inside: string } | null {
  const bin = join(nodePath, '..');
  if (bin.startsWith('/usr/')) return null;
  const prefix = join(bin, '..');
  // A version manager's prefix brings its own npm, whose links lead from bin to lib.
  if (existsSync(join(prefix, 'lib', 'node_modules', 'npm'))) return { host: prefix, inside: '/opt/berth/node' };
  return { host: bin, inside: '/opt/berth/node/bin' };
}
