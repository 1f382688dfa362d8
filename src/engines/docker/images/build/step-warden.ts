/**
 * Runs inside the node's helper for as long as a build goes on, and ends with its standard input. BuildKit gives the steps of a build
 * control groups without limits and takes no word on them, so here each gets its limits in the moment it appears. Nothing of Berth is
 * imported: this file alone is handed to the Node there.
 */
import { existsSync, type FSWatcher, readdirSync, readFileSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Wanted {
  /** Where the node's control groups are seen here. */
  readonly root: string;
  readonly memoryBytes: number;
  readonly cpuShares: number;
  readonly pids: number;
}

/** BuildKit's ids have 25 letters and digits, before or within what the daemon's driver of control groups adds. */
const stepName = /(?:^|[:-])[a-z0-9]{25}(?:\.scope)?$/;
const containerName = /[0-9a-f]{64}/;
const deepest = 3;
const lookMs = 100;
const signMs = 1_000;

const wanted = JSON.parse(process.argv[1] ?? '{}') as Wanted;
const { root, memoryBytes, cpuShares, pids } = wanted;
const isUnified = existsSync(join(root, 'cgroup.controllers'));
const memoryRoot = isUnified ? root : join(root, 'memory');
/** Version 2 counts from 1 to 10,000 where version 1 counts from 2 to 262,144; as runc translates them. */
const cpuWeight = 1 + Math.floor(((cpuShares - 2) * 9_999) / 262_142);
const settings: readonly (readonly [hierarchy: string, file: string, value: number])[] = isUnified
  ? [
      ['', 'memory.max', memoryBytes],
      ['', 'memory.swap.max', 0],
      ['', 'cpu.weight', cpuWeight],
      ['', 'pids.max', pids],
    ]
  : [
      ['memory', 'memory.limit_in_bytes', memoryBytes],
      ['memory', 'memory.memsw.limit_in_bytes', memoryBytes],
      ['cpu', 'cpu.shares', cpuShares],
      ['pids', 'pids.max', pids],
    ];
/** Not every kernel counts swap, and nothing is lost without. */
const optional = new Set(['memory.memsw.limit_in_bytes', 'memory.swap.max']);

const limited = new Set<string>();
const watchers = new Map<string, FSWatcher>();

function look(): void {
  const steps = new Set<string>();
  const folders = new Set<string>();
  walk('', 0, steps, folders);
  for (const step of limited) if (!steps.has(step)) limited.delete(step);
  for (const step of steps) if (!limited.has(step) && limit(step)) limited.add(step);
  for (const [folder, watcher] of watchers) {
    if (folders.has(folder)) continue;
    watcher.close();
    watchers.delete(folder);
  }
  for (const folder of folders) if (!watchers.has(folder)) follow(folder);
}

function walk(folder: string, depth: number, steps: Set<string>, folders: Set<string>): void {
  folders.add(folder);
  for (const name of foldersIn(join(memoryRoot, folder))) {
    const path = join(folder, name);
    if (stepName.test(name)) steps.add(path);
    else if (depth + 1 < deepest && !containerName.test(name)) walk(path, depth + 1, steps, folders);
  }
}

function foldersIn(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  } catch {
    return [];
  }
}

/** Whether all limits are in force; a step that is over its memory already is ended. */
function limit(step: string): boolean {
  let isDone = true;
  for (const [hierarchy, file, value] of settings) {
    const group = join(root, hierarchy, step);
    try {
      writeFileSync(join(group, file), String(value));
    } catch (error) {
      if (optional.has(file)) continue;
      isDone = false;
      if ((error as NodeJS.ErrnoException).code === 'EBUSY') end(group);
    }
  }
  return isDone;
}

function end(group: string): void {
  try {
    for (const pid of readFileSync(join(group, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean)) {
      process.kill(Number(pid), 'SIGKILL');
    }
  } catch {
    // It ended by itself.
  }
}

/** Without notice it is found at the next look. */
function follow(folder: string): void {
  try {
    const watcher = watch(join(memoryRoot, folder), () => look());
    watcher.on('error', () => {});
    watchers.set(folder, watcher);
  } catch {
    // It is gone again.
  }
}

if (!existsSync(memoryRoot)) throw new Error('the node shows no control groups for memory');
look();
setInterval(look, lookMs);
process.stdin.on('end', () => process.exit(0));
process.stdin.on('error', () => process.exit(0));
process.stdin.resume();
// The daemon does not tell whoever listens when this ends with its container.
setInterval(() => process.stdout.write('here\n'), signMs);
process.stdout.write('ready\n');
