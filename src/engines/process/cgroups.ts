/**
 * Control groups, version 1 or 2, whichever the machine lets us write. One group per unit under `berth-<install>` at the root of each
 * hierarchy, so that instances outlive the agent's own group. Null from `openCgroups` means: watch by hand instead.
 */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { type Cgroups, readText, tryWrite, writeText } from './cgroup.ts';
import { CgroupsV1 } from './cgroups-v1.ts';
import { CgroupsV2 } from './cgroups-v2.ts';

/** Finds what the machine offers and proves it by making the parent groups. */
export function openCgroups(installId: string): Cgroups | null {
  const mounts = readText('/proc/self/mounts')
    .split('\n')
    .map((line) => line.split(' '));
  const controllers = new Map<string, string>();
  let unified: string | null = null;
  for (const [, at, type, flags] of mounts) {
    if (at === undefined) continue;
    if (type === 'cgroup') for (const flag of flags?.split(',') ?? []) controllers.set(flag, at);
    if (type === 'cgroup2') unified = at;
  }
  try {
    const memory = controllers.get('memory');
    const pids = controllers.get('pids');
    const cpu = controllers.get('cpu');
    if (memory !== undefined && pids !== undefined && cpu !== undefined) {
      const parent = `berth-${installId}`;
      const roots = { memory, pids, cpu, cpuacct: controllers.get('cpuacct') ?? cpu };
      for (const root of new Set(Object.values(roots))) mkdirSync(`${root}/${parent}`, { recursive: true });
      return new CgroupsV1(roots, parent);
    }
    if (unified !== null && readText(`${unified}/cgroup.controllers`).split(' ').includes('memory')) {
      accessSync(`${unified}/cgroup.subtree_control`, constants.W_OK);
      tryWrite(`${unified}/cgroup.subtree_control`, '+memory +cpu +pids');
      const parent = `${unified}/berth-${installId}`;
      mkdirSync(parent, { recursive: true });
      writeText(`${parent}/cgroup.subtree_control`, '+memory +cpu +pids');
      return new CgroupsV2(parent);
    }
  } catch {
    return null;
  }
  return null;
}
