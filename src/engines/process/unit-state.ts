/** What the agent remembers of an instance or job on disk, so that the next agent finds it again. It holds no environment, so no secret. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineInstance, ResourceLimits } from '../../core/ports/engine.ts';

export interface StoredExit {
  readonly code: number | null;
  readonly signal: string | null;
  readonly outOfMemory: boolean;
  readonly timedOut: boolean;
  readonly startError: string | null;
  readonly diskExceeded: boolean;
  readonly outputExceeded: boolean;
  /** ISO time. */
  readonly at: string;
}

export type StopReason = 'stop' | 'timeout' | 'disk' | 'output' | 'memory';

export interface UnitState {
  readonly id: string;
  readonly kind: EngineInstance['kind'] | 'job';
  readonly appId: string;
  readonly appHandle: string;
  readonly spaceId: string;
  readonly processType: string;
  /** '' or absent: none. */
  readonly seat?: string;
  readonly generation: string;
  readonly limits: ResourceLimits;
  readonly graceMs: number;
  readonly log: { readonly stream: string; readonly source: string; readonly maxBytes: number | null };
  /** Streams go to whoever attaches instead of the log, and end with the agent. */
  readonly interactive: boolean;
  readonly uid: number | null;
  readonly mode: 'root' | 'user' | 'none';
  readonly ownNetwork: boolean;
  readonly address: { readonly host: string; readonly port: number } | null;
  readonly allocatedPort: number | null;
  /** ISO times. */
  readonly startedAt: string | null;
  readonly deadline: string | null;
  /** The outermost process, and its start in clock ticks; null until spawned. */
  readonly process: { readonly pid: number; readonly startTicks: string } | null;
  readonly stopReason: StopReason | null;
  readonly exit: StoredExit | null;
  /** Names the network that it has to itself or with its pod; null or absent: its space's or the host's. */
  readonly networkKey?: string | null;
  /** The host's end of a network that it has all to itself: its counters are the unit's. */
  readonly ownInterface?: string | null;
  /** Targets of its links. */
  readonly targets?: readonly string[];
  /** Ids of the volumes that it mounts. */
  readonly volumes?: readonly string[];
  /** Jobs: folders to watch and their limit. */
  readonly disk: { readonly folders: readonly string[]; readonly bytes: number } | null;
}

const fileName = 'state.json';

/** Replaces the file whole, so a kill in between leaves the old one. */
export function writeState(folder: string, state: UnitState): void {
  const path = join(folder, fileName);
  writeFileSync(`${path}.new`, JSON.stringify(state), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Null when the folder holds none that can be read: the unit never got as far as a process. */
export function readState(folder: string): UnitState | null {
  try {
    return JSON.parse(readFileSync(join(folder, fileName), 'utf8')) as UnitState;
  } catch {
    return null;
  }
}
