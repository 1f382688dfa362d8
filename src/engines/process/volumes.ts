/** Volumes of this machine: one folder each, which outlives every instance that mounts it. */
import { mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { conflict, invalid } from '../../core/errors.ts';
import { run } from '../../lib/exec.ts';
import { deleteTree } from './delete-tree.ts';
import { helperEnvironment } from './settings.ts';

const idForm = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;
/** No id begins so: what is being deleted is no volume any more. */
const goingPrefix = '.going-';

export class Volumes {
  readonly #folder: string;

  /** `folder` holds a folder per volume, mode 0700. */
  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** Finishes what a killed agent had begun to delete. */
  async prune(): Promise<void> {
    for (const name of readdirSync(this.#folder)) {
      if (name.startsWith(goingPrefix)) await deleteTree(join(this.#folder, name));
    }
  }

  /** The volume's folder on the host, made when it is not there, and its user's (null: the agent's own). Throws invalid for a bad id. */
  async open(id: string, uid: number | null): Promise<string> {
    const folder = this.#path(id);
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    if (uid !== null && statSync(folder).uid !== uid) {
      const argv = ['chown', '-Rh', '--', `${uid}:${uid}`, folder];
      const result = await run(argv, { environment: helperEnvironment, timeoutMs: 600_000 });
      if (result.code !== 0) throw new Error('a volume cannot be given to the app');
    }
    return folder;
  }

  list(): string[] {
    return readdirSync(this.#folder).filter((name) => idForm.test(name));
  }

  /** Unknown id: nothing to do. Rejects with conflict `volume-in-use` while `inUse` says so. */
  async remove(id: string, inUse: (id: string) => boolean): Promise<void> {
    const folder = this.#path(id);
    if (!this.list().includes(id)) return;
    if (inUse(id)) throw conflict('volume-in-use', 'an instance mounts this volume', 'volume');
    // Renamed first: whoever mounts it from now on gets a new one, never half of the old.
    const going = join(this.#folder, `${goingPrefix}${id}-${process.hrtime.bigint()}`);
    renameSync(folder, going);
    await deleteTree(going);
  }

  #path(id: string): string {
    if (!idForm.test(id)) throw invalid('volumeId', 'a volume id is letters, digits and inner _ -', 'malformed');
    return join(this.#folder, id);
  }
}
