/**
 * Runs git on the platform's own repositories, and nothing else runs it: argument vectors, none of the machine's settings, none of the
 * user's hooks, bounded input and memory.
 */
import type { ChildProcess } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BerthError, unavailable } from '../core/errors.ts';
import { run, start } from '../lib/exec.ts';

export interface GitProgramOptions {
  /** An empty folder of ours, made when it is missing: git finds nobody's settings there. */
  readonly home: string;
  /** Where the hooks lie; they run `node` from the PATH, which is this process's own. */
  readonly hooksFolder: string;
  /** A push may have so many bytes, as it comes over the wire. */
  readonly maxPushBytes: number;
}

/** What old but harmless repositories have; refusing it would refuse their whole history. */
const forgiven = [
  'badTimezone',
  'missingSpaceBeforeDate',
  'zeroPaddedFilemode',
  'missingEmail',
  'missingNameBeforeEmail',
];

export class GitProgram {
  readonly #options: GitProgramOptions;
  readonly #settings: readonly string[];

  constructor(options: GitProgramOptions) {
    this.#options = options;
    const settings = [
      `core.hooksPath=${options.hooksFolder}`,
      'safe.directory=*',
      'protocol.allow=never',
      'init.defaultBranch=main',
      'receive.fsckObjects=true',
      ...forgiven.map((name) => `receive.fsck.${name}=ignore`),
      `receive.maxInputSize=${options.maxPushBytes}`,
      'receive.denyDeletes=true',
      // Cleaning up is done when the push has ended, so that nobody waits for it.
      'receive.autogc=false',
      'transfer.unpackLimit=100',
      // Larger files are streamed, never held in memory.
      'core.bigFileThreshold=8m',
      'core.packedGitWindowSize=16m',
      'core.packedGitLimit=128m',
      'pack.threads=1',
      'pack.windowMemory=64m',
      'pack.deltaCacheSize=32m',
      'gc.autoDetach=false',
      'tar.umask=0022',
    ];
    this.#settings = settings.flatMap((setting) => ['-c', setting]);
  }

  /** Starts git in a process group of its own, with pipes. One that is missing on the machine shows as the child's `error`. */
  start(args: readonly string[], environment: Readonly<Record<string, string>> = {}): ChildProcess {
    return start(['git', ...this.#settings, ...args], {
      environment: { ...this.#environment(), ...environment },
      ownGroup: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  }

  /** Gives the standard output. Throws `unavailable` when git is missing, fails, or takes longer. */
  async run(
    args: readonly string[],
    timeoutMs: number,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    await mkdir(this.#options.home, { recursive: true, mode: 0o700 });
    const result = await run(['git', ...this.#settings, ...args], {
      environment: { ...this.#environment(), ...environment },
      timeoutMs,
    }).catch((error: unknown) => {
      throw gitError(error);
    });
    if (result.code !== 0)
      throw unavailable(
        'the git repository of the app cannot be used now; try again later',
        new Error(
          `git ${args[0]} ${result.timedOut ? 'took too long' : `ended with ${result.code}`}: ${result.stderr.slice(0, 2_000)}`,
        ),
      );
    return result.stdout;
  }

  #environment(): Record<string, string> {
    return {
      PATH: `${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
      HOME: this.#options.home,
      LC_ALL: 'C.UTF-8',
      TZ: 'UTC',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_ATTR_NOSYSTEM: '1',
      GIT_TERMINAL_PROMPT: '0',
    };
  }
}

/** The error of a start in words that say what to do. */
export function gitError(error: unknown): BerthError {
  if (error instanceof BerthError) return error;
  if ((error as NodeJS.ErrnoException).code === 'ENOENT')
    return unavailable(
      'git is not installed on this server, so it takes no pushes; its administrator can install the package git (on Debian: apt-get install git)',
      error,
    );
  return unavailable('git could not be started on this server', error);
}
