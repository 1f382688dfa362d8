/** A stock of named pipes made ahead of need: Node cannot make one, and a helper per start would cost more than the start. */
import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../lib/exec.ts';
import { helperEnvironment } from './settings.ts';

const batch = 32;

export class FifoStock {
  readonly #folder: string;
  #ready: string[];
  #made = 0;
  #filling: Promise<void> | null = null;
  readonly #token: () => string;

  /** `token` gives a word that no earlier agent used. */
  constructor(folder: string, token: () => string) {
    this.#folder = folder;
    this.#token = token;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#ready = readdirSync(folder);
  }

  /** Moves a fresh pipe (mode 0600) to `path`. Rejects when pipes cannot be made here. */
  async take(path: string): Promise<void> {
    if (this.#ready.length === 0) await this.fill();
    const name = this.#ready.pop();
    if (name === undefined) return this.take(path);
    renameSync(join(this.#folder, name), path);
    if (this.#ready.length < batch / 4) void this.fill().catch(() => {});
  }

  fill(): Promise<void> {
    this.#filling ??= this.#make().finally(() => {
      this.#filling = null;
    });
    return this.#filling;
  }

  async #make(): Promise<void> {
    const series = this.#token();
    const names = Array.from({ length: batch }, () => `${series}-${this.#made++}`);
    const argv = ['mkfifo', '-m', '600', '--', ...names.map((name) => join(this.#folder, name))];
    const result = await run(argv, { environment: helperEnvironment, timeoutMs: 10_000 });
    if (result.code !== 0) throw new Error(`named pipes cannot be made: ${result.stderr.trim()}`);
    this.#ready.push(...names);
  }
}
