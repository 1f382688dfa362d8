/**
 * What runs inside the sandbox before the app: a fixed `sh` script fed through stdin, so that the environment is neither on disk nor in
 * an argument vector nor in the environment of a helper that still has rights. It waits for the app and writes how that ended to the
 * exit file, which therefore outlives the agent.
 *
 * File descriptors inside: 0 this script, 1 and 2 the output, 3 the exit file, 4 stdin of an attached app, 5 control of its terminal.
 */

/** One shell word that is exactly `value`, whatever its bytes (NUL cannot occur). */
export const quote = (value: string): string => `'${value.replaceAll("'", "'\\''")}'`;

/** Names that the shell itself checks or keeps read-only: they go through `env` instead of `export`. */
const shellOwn = new Set([
  'BASHOPTS',
  'BASH_VERSINFO',
  'EUID',
  'IFS',
  'LINENO',
  'OLDPWD',
  'OPTIND',
  'PPID',
  'PWD',
  'SHELLOPTS',
  'UID',
]);
const nameForm = /^[A-Za-z_][A-Za-z0-9_]*$/;

export interface InnerScript {
  /** To be written to the shell's stdin. */
  readonly text: string;
  /** To be put after `/bin/sh -s --`. */
  readonly argv: readonly string[];
}

function exports(environment: Readonly<Record<string, string>>, command: readonly string[]): InnerScript {
  const lines: string[] = [];
  const prefix: string[] = [];
  for (const [name, value] of Object.entries(environment)) {
    if (!nameForm.test(name) || value.includes('\0')) continue;
    if (shellOwn.has(name)) prefix.push(`${name}=${value}`);
    else lines.push(`export ${name}=${quote(value)}`);
  }
  return {
    text: lines.map((line) => `${line}\n`).join(''),
    argv: prefix.length === 0 ? command : ['env', ...prefix, ...command],
  };
}

/**
 * The script of a unit's main command. Its own messages go to the exit file: a shell names the signal that killed its child there, which
 * is how exit code 137 is told from SIGKILL. The command runs in a subshell, because redirections of the command itself would take that
 * message along.
 */
export function unitScript(
  environment: Readonly<Record<string, string>>,
  command: readonly string[],
  attached: boolean,
): InnerScript {
  const inner = exports(environment, command);
  const stdin = attached ? '0<&4 4<&-' : '</dev/null';
  const run = [
    'berth_run() {',
    "trap ':' HUP INT QUIT TERM USR1 USR2 ALRM PIPE;",
    'exec 6>&2 2>&3; echo started >&3;',
    `( exec "$@" ${stdin} 2>&6 3>&- 6>&- );`,
    'echo "exit $?" >&3; }',
  ].join(' ');
  return { text: `${inner.text}${run}\nberth_run "$@"; exit 0\n`, argv: inner.argv };
}

/** The script of an exec: the shell becomes the command, so code and signal reach the agent as they are. */
export function execScript(environment: Readonly<Record<string, string>>, command: readonly string[]): InnerScript {
  const inner = exports(environment, command);
  return { text: `${inner.text}exec "$@" 0<&4 4<&-; exit 127\n`, argv: inner.argv };
}
