/** Where the volumes of the simulated engine lie, under the same rules as on real machines: one node each, and carried when nobody uses it. */
import type { InstanceSpec, VolumeLeft } from '../../core/ports/engine.ts';

export interface Mounting {
  readonly nodeId: string;
  readonly spec: InstanceSpec;
}

export class SimulatedVolumes {
  /** Nodes by volume. */
  readonly #at = new Map<string, string>();

  ids(): readonly string[] {
    return [...this.#at.keys()];
  }

  on(nodeId: string): readonly string[] {
    return [...this.#at].flatMap(([id, at]) => (at === nodeId ? [id] : []));
  }

  remove(id: string): void {
    this.#at.delete(id);
  }

  /** They lie there from now on. Gives what is in the way instead; `living`: all instances that have not ended. */
  bring({ mounts = [] }: InstanceSpec, nodeId: string, living: readonly Mounting[]): string | null {
    for (const { volumeId } of mounts) {
      const at = this.#at.get(volumeId) ?? nodeId;
      if (at !== nodeId && usersOf(volumeId, living).length > 0) return `its volume is still in use on node ${at}`;
    }
    for (const { volumeId } of mounts) this.#at.set(volumeId, nodeId);
    return null;
  }

  /** Carries what nobody uses; gives the rest. */
  leave(nodeId: string, to: string, living: readonly Mounting[]): readonly VolumeLeft[] {
    const left = this.on(nodeId).filter((id) => usersOf(id, living).length > 0);
    for (const id of this.on(nodeId)) if (!left.includes(id)) this.#at.set(id, to);
    return left.map((id) => ({ id, obstacle: null }));
  }

  /** The nodes are gone for good, and what lies on them. */
  giveUp(nodeIds: readonly string[]): void {
    for (const [id, at] of this.#at) if (nodeIds.includes(at)) this.#at.delete(id);
  }
}

export const usersOf = <M extends Mounting>(volumeId: string, living: readonly M[]): readonly M[] =>
  living.filter(({ spec }) => (spec.mounts ?? []).some((mount) => mount.volumeId === volumeId));
