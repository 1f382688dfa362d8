/** Control groups version 1: one hierarchy per controller. */
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

interface Roots {
  readonly memory: string;
  readonly cpu: string;
  readonly cpuacct: string;
  readonly pids: string;
}

export class CgroupsV1 implements Cgroups {
  readonly version = 1;
  readonly #roots: Roots;
  readonly #parent: string;
  constructor(roots: Roots, parent: string) {
    this.#roots = roots;
    this.#parent = parent;
  }

  #at(controller: keyof Roots, id: string): string {
    return `${this.#roots[controller]}/${this.#parent}/${id}`;
  }

  folders(id: string): readonly string[] {
    return [...new Set((['memory', 'cpu', 'cpuacct', 'pids'] as const).map((name) => this.#at(name, id)))];
  }

  create(id: string, limits: ResourceLimits): readonly string[] {
    const folders = this.folders(id);
    for (const folder of folders) mkdirSync(folder, { recursive: true });
    const memory = this.#at('memory', id);
    writeText(`${memory}/memory.limit_in_bytes`, String(limits.memoryBytes));
    tryWrite(`${memory}/memory.memsw.limit_in_bytes`, String(limits.memoryBytes));
    tryWrite(`${memory}/memory.swappiness`, '0');
    writeText(`${this.#at('cpu', id)}/cpu.shares`, String(Math.max(2, Math.round(limits.cpuShares))));
    writeText(`${this.#at('pids', id)}/pids.max`, String(limits.pids + helperProcesses));
    return folders;
  }

  pids(id: string): readonly number[] {
    // A process joins one hierarchy after the other, so a unit that is just starting may be in some of them only.
    return [...new Set(this.folders(id).flatMap(readPids))];
  }

  outOfMemoryKills(id: string): number {
    return Number(/^oom_kill (\d+)$/m.exec(readText(`${this.#at('memory', id)}/memory.oom_control`))?.[1] ?? 0);
  }

  usage(id: string): CgroupUsage | null {
    const stat = readText(`${this.#at('memory', id)}/memory.stat`);
    if (stat === '') return null;
    const value = (name: string): number => Number(new RegExp(`^total_${name} (\\d+)$`, 'm').exec(stat)?.[1] ?? 0);
    const cpu = this.#at('cpuacct', id);
    return {
      usageBytes: readNumber(`${this.#at('memory', id)}/memory.usage_in_bytes`),
      residentBytes: value('rss'),
      cacheBytes: value('cache'),
      userSeconds: readNumber(`${cpu}/cpuacct.usage_user`) / 1e9,
      systemSeconds: readNumber(`${cpu}/cpuacct.usage_sys`) / 1e9,
      pids: readNumber(`${this.#at('pids', id)}/pids.current`),
    };
  }

  remove(id: string): boolean {
    return this.folders(id).map(removeFolder).every(Boolean);
  }

  list(): readonly string[] {
    const names = Object.values(this.#roots).flatMap((root) => listFolders(`${root}/${this.#parent}`));
    return [...new Set(names)];
  }

  close(): void {
    for (const root of new Set(Object.values(this.#roots))) removeFolder(`${root}/${this.#parent}`);
  }
}
