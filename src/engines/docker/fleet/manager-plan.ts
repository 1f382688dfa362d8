/**
 * How many managers a Swarm should have, and the next step towards it. Two are worse than one, because both must be there; so it is one, three
 * or five. One step at a time: the next is planned when the Swarm shows the one before as done. Pure.
 */
export interface ManagerCandidate {
  /** The Swarm's own id of it. */
  readonly id: string;
  readonly isManager: boolean;
  /** As a manager: the others reach it. */
  readonly isReachable: boolean;
  /** Ready for the platform and for the Swarm. */
  readonly isReady: boolean;
  /** Lost for so long that another one should do its work. */
  readonly isGivenUp: boolean;
  readonly isHome: boolean;
  /** One of the platform's nodes; of others neither rank is changed. */
  readonly isOurs: boolean;
}

export type ManagerStep = { readonly promote: string } | { readonly demote: string };

export const managersFor = (nodes: number): number => (nodes >= 7 ? 5 : nodes >= 3 ? 3 : 1);

/** Null: nothing to do, or nothing that can be done safely now. */
export function nextManagerStep(nodes: readonly ManagerCandidate[]): ManagerStep | null {
  const ours = nodes.filter(({ isOurs }) => isOurs).toSorted(byRank);
  const managers = nodes.filter(({ isManager }) => isManager);
  const alive = managers.filter(({ isReachable, isReady, isOurs }) => isReachable && (isReady || !isOurs));
  // Without a majority nothing can be changed, and with the barest one a step may cost it.
  if (alive.length * 2 <= managers.length) return null;
  const wanted = managersFor(ours.filter(({ isGivenUp }) => !isGivenUp).length);
  const lost = ours.find(({ isManager, isReachable, isGivenUp }) => isManager && isGivenUp && !isReachable);
  const settling = managers.some((manager) => !alive.includes(manager) && !manager.isGivenUp);
  if (alive.length < wanted && !settling) {
    const next = ours.find(({ isManager, isReady }) => !isManager && isReady);
    if (next !== undefined) return { promote: next.id };
  }
  if (lost !== undefined && alive.length >= Math.min(wanted, 3)) return { demote: lost.id };
  if (settling || managers.length <= wanted) return null;
  const last = ours.findLast(({ isManager, isHome }) => isManager && !isHome);
  const keepsMajority = (alive.length - 1) * 2 > managers.length - 1;
  return last === undefined || !keepsMajority ? null : { demote: last.id };
}

/** A machine of the Swarm: whether it is to be a manager, whether it is one, and whether the others reach it as such. */
export interface ManagerRank {
  readonly id: string;
  readonly isWanted: boolean;
  readonly isManager: boolean;
  readonly isReachable: boolean;
}

/** Whether a manager may give up its rank: the others have a majority among themselves, and none of them is giving up its own just now. */
export function isSpare(nodes: readonly ManagerRank[], id: string): boolean {
  const others = nodes.filter((node) => node.id !== id && (node.isManager || node.isWanted));
  const reachable = others.filter(({ isManager, isReachable }) => isManager && isReachable);
  return others.every(({ isWanted }) => isWanted) && reachable.length * 2 > others.length;
}

/** The home node first: the platform asks it before others. */
const byRank = (one: ManagerCandidate, other: ManagerCandidate): number =>
  Number(other.isHome) - Number(one.isHome) || (one.id < other.id ? -1 : 1);
