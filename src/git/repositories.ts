/** A bare repository for each app that was ever pushed to: `<folder>/<app id>.git`. Nothing of an app's name is part of a path. */
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isId } from '../core/names.ts';
import type { Ids } from '../core/ports/clock.ts';
import type { GitProgram } from './git-program.ts';

const SHORT_MS = 30_000;
const CLEANING_MS = 10 * 60_000;
const suffix = '.git';

export class Repositories {
  readonly #folder: string;
  readonly #git: GitProgram;
  readonly #ids: Ids;
  readonly #making = new Map<string, Promise<void>>();
  /** Those that were seen or made by this process. */
  readonly #known = new Set<string>();

  constructor(folder: string, git: GitProgram, ids: Ids) {
    this.#folder = folder;
    this.#git = git;
    this.#ids = ids;
  }

  /** The repository's path; made when this is the first time. Throws `unavailable` without git. */
  async open(appId: string): Promise<string> {
    const path = this.#path(appId);
    let making = this.#making.get(appId);
    if (making === undefined) {
      making = this.#make(path).finally(() => this.#making.delete(appId));
      this.#making.set(appId, making);
    }
    await making;
    this.#known.add(appId);
    return path;
  }

  /** One that is not there is no error. */
  async remove(appId: string): Promise<void> {
    this.#known.delete(appId);
    await rm(this.#path(appId), { recursive: true, force: true });
  }

  /** Whether this process knows of one, at no cost. */
  has(appId: string): boolean {
    return this.#known.has(appId);
  }

  /** Ids of the apps that have one. */
  async list(): Promise<readonly string[]> {
    const names = await readdir(this.#folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    const ids = names.filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length));
    const found = ids.filter(isId);
    for (const id of found) this.#known.add(id);
    return found;
  }

  /** After a push: a clone gets this branch, and what has become loose is packed now and then. */
  async settle(appId: string, branch: string): Promise<void> {
    const path = this.#path(appId);
    await this.#git.run(['-C', path, 'symbolic-ref', 'HEAD', `refs/heads/${branch}`], SHORT_MS);
    await this.#git.run(['-C', path, 'gc', '--auto', '--quiet'], CLEANING_MS);
  }

  /** Whole or not at all: what another process or a crash left half made never has the final name. */
  async #make(path: string): Promise<void> {
    if ((await stat(path).catch(() => null)) !== null) return;
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const part = join(this.#folder, `new-${this.#ids.id()}`);
    try {
      await this.#git.run(['init', '--quiet', '--bare', '--template=', part], SHORT_MS);
      await rename(part, path);
    } catch (error) {
      await rm(part, { recursive: true, force: true });
      if ((await stat(path).catch(() => null)) === null) throw error;
    }
  }

  #path(appId: string): string {
    if (!isId(appId)) throw new TypeError('a repository is named by the id of its app');
    return join(this.#folder, appId + suffix);
  }
}
