/** git and ssh as people have them: in a folder of their own, with nobody's settings. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type RunResult, run } from '../../../src/lib/exec.ts';

export const systemPath = '/usr/local/bin:/usr/bin:/bin';

/** The name of a program that is missing, or null. */
export async function missingProgram(...names: readonly string[]): Promise<string | null> {
  for (const name of names) {
    const found = await run(['sh', '-c', 'command -v "$0"', name], {
      environment: { PATH: systemPath },
      timeoutMs: 10_000,
    });
    if (found.code !== 0) return name;
  }
  return null;
}

export interface Machine {
  readonly folder: string;
  /** The private key's file; its public part lies beside it. */
  key(kind: 'ed25519' | 'rsa' | 'ecdsa'): Promise<{ readonly path: string; readonly publicLine: string }>;
  run(argv: readonly string[], environment?: Readonly<Record<string, string>>): Promise<RunResult>;
  repository(name: string): Promise<Repository>;
}

/** Somebody's machine, with an empty home. */
export async function machine(t: { after(work: () => Promise<void>): void }): Promise<Machine> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-git-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const plain = {
    PATH: systemPath,
    HOME: folder,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'Ada',
    GIT_AUTHOR_EMAIL: 'ada@berth.test',
    GIT_COMMITTER_NAME: 'Ada',
    GIT_COMMITTER_EMAIL: 'ada@berth.test',
  };
  const self: Machine = {
    folder,
    run: (argv, environment = {}) =>
      run(argv, { environment: { ...plain, ...environment }, cwd: folder, timeoutMs: 110_000 }),
    async key(kind) {
      const path = join(folder, `key-${kind}`);
      await self.run(['ssh-keygen', '-q', '-t', kind, '-N', '', '-C', 'ada@berth.test', '-f', path]);
      return { path, publicLine: (await readFile(`${path}.pub`, 'utf8')).trim() };
    },
    async repository(name) {
      const repository = new Repository(self, join(folder, name));
      await repository.git('init', '--quiet', '-b', 'main', repository.path);
      return repository;
    },
  };
  return self;
}

export class Repository {
  readonly path: string;
  readonly #machine: Machine;
  constructor(owner: Machine, path: string) {
    this.#machine = owner;
    this.path = path;
  }

  /** Fails the test when git does. Gives what it printed. */
  async git(...args: readonly string[]): Promise<string> {
    const result = await this.attempt(args);
    assert.equal(result.code, 0, `git ${args.join(' ')}: ${result.stderr}`);
    return result.stdout + result.stderr;
  }

  attempt(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<RunResult> {
    const folder = args[0] === 'init' ? [] : ['-C', this.path];
    return this.#machine.run(['git', ...folder, ...args], environment);
  }

  /** Writes the files and commits all there is; gives the commit. */
  async commit(message: string, files: Readonly<Record<string, string | Buffer>>): Promise<string> {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(this.path, name)), { recursive: true });
      await writeFile(join(this.path, name), content);
    }
    await this.git('add', '--all');
    await this.git('commit', '--quiet', '--allow-empty', '-m', message);
    return (await this.git('rev-parse', 'HEAD')).trim();
  }
}

/** For GIT_SSH_COMMAND: this key and no other, and a known-hosts file of the machine's own. */
export const sshWith = (folder: string, keyPath: string, more: readonly string[] = []): readonly string[] => [
  'ssh',
  // Of an option that is said twice the first counts.
  ...more,
  ...['-F', '/dev/null', '-i', keyPath, '-o', 'IdentitiesOnly=yes', '-o', 'BatchMode=yes'],
  ...['-o', 'StrictHostKeyChecking=accept-new', '-o', `UserKnownHostsFile=${join(folder, 'known-hosts')}`],
];

/** How many objects a push with `--progress` sent. */
export const objectsSent = (output: string): number =>
  Number(/^Total (\d+)/m.exec(output.replaceAll('\r', '\n'))?.[1] ?? -1);
