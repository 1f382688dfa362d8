/**
 * The argument vector that starts a unit, as pure functions of what is wanted: control groups → network → bubblewrap → user → script.
 * Each step replaces the one before (exec), so a start costs one spawn.
 */
import { existsSync, lstatSync, readlinkSync } from 'node:fs';

export interface FolderBinding {
  readonly host: string;
  readonly inside: string;
  readonly writable: boolean;
}

export interface SandboxPlan {
  /** Folders with a `cgroup.procs` to enter. */
  readonly cgroupFolders: readonly string[];
  /** Name under /run/netns, or null for the host's network. */
  readonly networkNamespace: string | null;
  /** No network at all. */
  readonly unshareNetwork: boolean;
  readonly lowPriority: readonly string[];
  readonly mode: 'root' | 'user' | 'none';
  readonly hostname: string;
  /** What makes up /etc, in order (see etc-files.ts). */
  readonly etc: readonly { readonly host: string; readonly inside: string }[];
  readonly folders: readonly FolderBinding[];
  readonly temporaryFolder: string;
  readonly workingFolder: string;
  readonly nodeFolder: { readonly host: string; readonly inside: string } | null;
  /** The unprivileged user and group; null keeps the agent's own. */
  readonly uid: number | null;
}

/** Enters control groups, then becomes the rest. The count comes first because the folders are arguments like the command. */
const joinScript = [
  'n=$1; shift;',
  'while [ "$n" -gt 0 ]; do echo 0 > "$1/cgroup.procs" || exit 97; shift; n=$((n-1)); done;',
  'exec "$@"',
].join(' ');

const join = (folders: readonly string[]): string[] =>
  folders.length === 0 ? [] : ['/bin/sh', '-c', joinScript, 'berth', String(folders.length), ...folders];

const withoutRights = ['--inh-caps=-all', '--bounding-set=-all', '--no-new-privs', '--'];

const dropTo = (uid: number | null): string[] =>
  uid === null ? [] : ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', ...withoutRights];

let systemFolders: string[] | null = null;
/** /bin and friends are links into /usr on most systems and folders on some. */
function systemArguments(): readonly string[] {
  systemFolders ??= ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'].flatMap((path) => {
    if (!existsSync(path)) return [];
    return lstatSync(path).isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path];
  });
  return systemFolders;
}

function bubblewrap(plan: SandboxPlan): string[] {
  const argv = ['bwrap', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try', '--new-session'];
  if (plan.unshareNetwork) argv.push('--unshare-net');
  // One user namespace, in which the agent's own user shows as root without any right: a second one inside could not be entered by exec.
  if (plan.mode === 'user') argv.push('--unshare-user', '--uid', '0', '--gid', '0');
  argv.push('--hostname', plan.hostname, '--ro-bind', '/usr', '/usr', ...systemArguments());
  argv.push('--proc', '/proc', '--dev', '/dev', '--bind', plan.temporaryFolder, '/tmp');
  const bindings = [...plan.folders];
  if (plan.nodeFolder !== null) bindings.unshift({ ...plan.nodeFolder, writable: false });
  // Parents that bubblewrap makes by itself would be its own user's alone.
  for (const parent of parentsOf(['/etc/x', '/var/x', ...bindings.map((folder) => folder.inside)])) {
    argv.push('--perms', '0755', '--dir', parent);
  }
  if (!bindings.some(({ inside }) => `${inside}/`.startsWith('/var/tmp/'))) argv.push('--symlink', '/tmp', '/var/tmp');
  for (const file of plan.etc) argv.push('--ro-bind', file.host, file.inside);
  for (const folder of bindings) argv.push(folder.writable ? '--bind' : '--ro-bind', folder.host, folder.inside);
  argv.push('--remount-ro', '/', '--chdir', plan.workingFolder, '--');
  return argv;
}

/** All folders above these paths, outermost first, without the root and what is bound already. */
function parentsOf(paths: readonly string[]): string[] {
  const parents = new Set<string>();
  for (const path of paths) {
    const names = path.split('/').slice(1, -1);
    for (let depth = 1; depth <= names.length; depth++) parents.add(`/${names.slice(0, depth).join('/')}`);
  }
  return [...parents].filter((parent) => parent !== '/usr' && parent !== '/tmp');
}

/** `inner` is the argv of the script's command (see inner-script.ts). */
export function unitArguments(plan: SandboxPlan, inner: readonly string[]): string[] {
  return [
    ...join(plan.cgroupFolders),
    ...(plan.networkNamespace === null ? [] : ['nsenter', `--net=/run/netns/${plan.networkNamespace}`, '--']),
    ...plan.lowPriority,
    ...(plan.mode === 'none' ? [] : bubblewrap(plan)),
    ...dropTo(plan.uid),
    '/bin/sh',
    '-s',
    '--',
    ...inner,
  ];
}

export interface EnterPlan {
  readonly cgroupFolders: readonly string[];
  readonly mode: SandboxPlan['mode'];
  readonly ownNetwork: boolean;
  /** A process inside whose namespaces are entered. */
  readonly pid: number;
  readonly uid: number | null;
}

/** Runs something more inside a unit that is running already. */
export function enterArguments(plan: EnterPlan, inner: readonly string[]): string[] {
  const namespaces = ['--mount', '--pid', '--ipc', '--uts', '--root', '--wd', ...(plan.ownNetwork ? ['--net'] : [])];
  const user = plan.mode === 'user' ? ['--user', '--preserve-credentials'] : [];
  const enter = plan.mode === 'none' ? [] : ['nsenter', '--target', String(plan.pid), ...user, ...namespaces, '--'];
  // Entering a user namespace gives all rights in it; bubblewrap took them from the app, and so does this from its guest.
  const drop = plan.mode === 'user' ? ['setpriv', ...withoutRights] : dropTo(plan.uid);
  return [...join(plan.cgroupFolders), ...enter, ...drop, '/bin/sh', '-s', '--', ...inner];
}
