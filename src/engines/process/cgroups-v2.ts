/** Control groups version 2: one hierarchy for all controllers. */
import { mkdirSync } from 'node:fs';
import type { ResourceLimits } from '../../core/ports/engine.ts';
import {
  type Cgroups,
  type CgroupUsage,
  helperProcesses,
  listFolders,
  readNumber,
  readPids,
  readText,
  removeFolder,
  tryWrite,
  writeText,
} from './cgroup.ts';

export class CgroupsV2 implements Cgroups {
  readonly version = 2;
  readonly #parent: string;
  /** `parent` is the install's own group, with its controllers already given to its children. */
  constructor(parent: string) {
    this.#parent = parent;
  }

  folders(id: string): readonly string[] {
    return [`${this.#parent}/${id}`];
  }

  create(id: string, limits: ResourceLimits): readonly string[] {
    const folder = `${this.#parent}/${id}`;
    mkdirSync(folder, { recursive: true });
    writeText(`${folder}/memory.max`, String(limits.memoryBytes));
    tryWrite(`${folder}/memory.swap.max`, '0');
    writeText(`${folder}/pids.max`, String(limits.pids + helperProcesses));
    // The kernel's own mapping of v1 shares (2…262144) to v2 weights (1…10000).
    const weight = 1 + ((Math.min(262_144, Math.max(2, limits.cpuShares)) - 2) * 9_999) / 262_142;
    writeText(`${folder}/cpu.weight`, String(Math.max(1, Math.round(weight))));
    return [folder];
  }

  pids(id: string): readonly number[] {
    return readPids(`${this.#parent}/${id}`);
  }

  outOfMemoryKills(id: string): number {
    return Number(/^oom_kill (\d+)$/m.exec(readText(`${this.#parent}/${id}/memory.events`))?.[1] ?? 0);
  }

  usage(id: string): CgroupUsage | null {
    const folder = `${this.#parent}/${id}`;
    const stat = readText(`${folder}/memory.stat`);
    if (stat === '') return null;
    const field = (text: string, name: string): number =>
      Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
    const cpu = readText(`${folder}/cpu.stat`);
    return {
      usageBytes: readNumber(`${folder}/memory.current`),
      residentBytes: field(stat, 'anon'),
      cacheBytes: field(stat, 'file'),
      userSeconds: field(cpu, 'user_usec') / 1e6,
      systemSeconds: field(cpu, 'system_usec') / 1e6,
      pids: readNumber(`${folder}/pids.current`),
    };
  }

  remove(id: string): boolean {
    return removeFolder(`${this.#parent}/${id}`);
  }

  list(): readonly string[] {
    return listFolders(this.#parent);
  }

  close(): void {
    removeFolder(this.#parent);
  }
}
