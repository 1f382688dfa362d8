/** What a control group driver offers, and the small file helpers that both versions share. */
import { readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import type { ResourceLimits } from '../../core/ports/engine.ts';

export interface CgroupUsage {
  readonly usageBytes: number;
  readonly residentBytes: number;
  readonly cacheBytes: number;
  readonly userSeconds: number;
  readonly systemSeconds: number;
  readonly pids: number;
}

export interface Cgroups {
  readonly version: 1 | 2;
  /** Makes the group with its limits; gives the folders whose `cgroup.procs` a process writes itself into. */
  create(id: string, limits: ResourceLimits): readonly string[];
  /** The same folders for a group that is there already. */
  folders(id: string): readonly string[];
  pids(id: string): readonly number[];
  /** How often the kernel killed in this group for memory. */
  outOfMemoryKills(id: string): number;
  usage(id: string): CgroupUsage | null;
  /** False while processes are left in it. */
  remove(id: string): boolean;
  list(): readonly string[];
  /** Removes the install's own parent groups, if they are empty. */
  close(): void;
}

/** Extra processes that the sandbox itself needs beside those of the app. */
export const helperProcesses = 4;

export const readText = (path: string): string => {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return '';
  }
};
export const readNumber = (path: string): number => Number(readText(path)) || 0;
export const writeText = (path: string, value: string): void => writeFileSync(path, value);
/** For knobs that not every kernel has. */
export const tryWrite = (path: string, value: string): void => {
  try {
    writeFileSync(path, value);
  } catch {
    // Not there or not ours: the main limit holds without it.
  }
};
export const readPids = (folder: string): number[] =>
  readText(`${folder}/cgroup.procs`).split('\n').filter(Boolean).map(Number);
export const listFolders = (folder: string): string[] => {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
};
/** True when the folder is gone afterwards. */
export const removeFolder = (folder: string): boolean => {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
};
