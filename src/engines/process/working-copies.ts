/**
 * The folder an instance runs in: the artifact with the instance's own changes on top. As root an overlay, in which a thin layer per app
 * and artifact gives the app's user all files (only inodes are copied, not data); elsewhere a copy.
 */
import { chownSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../lib/exec.ts';
import { deleteTree } from './delete-tree.ts';
import type { Machine } from './machine.ts';
import { helperEnvironment } from './settings.ts';

export interface WorkingCopyInput {
  /** The unit's own folder; everything is made below it. */
  readonly folder: string;
  readonly digest: string;
  readonly appId: string;
  readonly uid: number | null;
}

const digestForm = /^sha256:([0-9a-f]{64})$/;

export class WorkingCopies {
  readonly #artifacts: string;
  readonly #layers: string;
  readonly #machine: Machine;
  readonly #making = new Map<string, Promise<string>>();

  /** `layers` is a folder for the thin layers, on the same file system as the units' folders. */
  constructor(artifacts: string, layers: string, machine: Machine) {
    this.#artifacts = artifacts;
    this.#layers = layers;
    this.#machine = machine;
    mkdirSync(layers, { recursive: true, mode: 0o700 });
  }

  /** Resolves with the host path of the copy; rejects with a message for the app's owner. */
  async make(input: WorkingCopyInput): Promise<string> {
    const hex = digestForm.exec(input.digest)?.[1];
    const tree = join(this.#artifacts, hex ?? '', 'tree');
    if (hex === undefined || !existsSync(tree)) throw new Error('the artifact of this release is not on this machine');
    const app = join(input.folder, 'app');
    mkdirSync(app, { mode: 0o755 });
    if (this.#machine.overlay && input.uid !== null && !/[:,\\]/.test(this.#layers + this.#artifacts)) {
      try {
        const owned = await this.#owned(tree, hex, input.appId, input.uid);
        const upper = join(input.folder, 'upper');
        const work = join(input.folder, 'work');
        mkdirSync(upper, { mode: 0o755 });
        mkdirSync(work, { mode: 0o700 });
        chownSync(upper, input.uid, input.uid);
        await mountOverlay(`${owned}:${tree}`, upper, work, app);
        return app;
      } catch {
        // An overlay may be refused by the file system below; the copy does the same, slower.
      }
    }
    await helper(['cp', '-a', '--reflink=auto', '--', `${tree}/.`, app]);
    if (input.uid !== null) await helper(['chown', '-Rh', '--', `${input.uid}:${input.uid}`, app]);
    return app;
  }

  /** Takes a unit's folder away, mount and all; one that is gone is no error. */
  async remove(folder: string): Promise<void> {
    const app = join(folder, 'app');
    if (this.#machine.overlay && existsSync(app)) {
      await run(['umount', '-l', '--', app], { environment: helperEnvironment, timeoutMs: 30_000 });
    }
    await deleteTree(folder);
  }

  /** Deletes layers of artifacts that are gone, and what a killed agent left half made. Called before the first `make`. */
  async prune(): Promise<void> {
    for (const name of readdirSync(this.#layers)) {
      const path = join(this.#layers, name);
      const last = name.split('.').at(-1) ?? '';
      if (last === 'merged') {
        await run(['umount', '-l', '--', path], { environment: helperEnvironment, timeoutMs: 30_000 });
      }
      if (!existsSync(join(this.#artifacts, last))) await rm(path, { recursive: true, force: true });
    }
  }

  #owned(tree: string, hex: string, appId: string, uid: number): Promise<string> {
    const key = `${appId}.${hex}`;
    const known = this.#making.get(key);
    const layer = join(this.#layers, key);
    if (known !== undefined && existsSync(layer)) return known;
    const making = existsSync(layer) ? Promise.resolve(layer) : this.#chown(tree, layer, uid);
    this.#making.set(key, making);
    making.catch(() => this.#making.delete(key));
    return making;
  }

  /** Built beside its place and renamed into it, so a killed agent leaves no half layer that looks whole. */
  async #chown(tree: string, layer: string, uid: number): Promise<string> {
    const [upper, work, merged] = [`${layer}.upper`, `${layer}.work`, `${layer}.merged`];
    await run(['umount', '-l', '--', merged], { environment: helperEnvironment, timeoutMs: 30_000 });
    for (const folder of [upper, work, merged]) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { mode: 0o755 });
    }
    await mountOverlay(tree, upper, work, merged);
    try {
      await helper(['chown', '-Rh', '--', `${uid}:${uid}`, merged]);
    } finally {
      await helper(['umount', '--', merged]);
    }
    renameSync(upper, layer);
    for (const folder of [work, merged]) rmSync(folder, { recursive: true, force: true });
    return layer;
  }
}

function mountOverlay(lower: string, upper: string, work: string, at: string): Promise<void> {
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work},metacopy=on,redirect_dir=on`;
  return helper(['mount', '-t', 'overlay', '-o', options, 'berth', at]);
}

/** Rejects with the helper's own words when it fails. */
async function helper(argv: readonly string[]): Promise<void> {
  const result = await run(argv, { environment: helperEnvironment, timeoutMs: 600_000 });
  if (result.code !== 0) throw new Error(`${argv[0]}: ${result.stderr.trim()}`);
}
