/**
 * Whether what is seen of the fleet may be acted on. While no more than half of the Swarm's managers answer, nothing can be started anywhere, and it
 * may be the platform's own machine that is cut off: what the others run must not count as lost then.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { unavailable } from '../../../core/errors.ts';
import type { Member } from './member.ts';
import type { Members } from './members.ts';
import type { SwarmNode } from './swarm-api.ts';

/** A manager that answers, one that did not just now, and one that is lost. */
export type ManagerAnswer = 'here' | 'silent' | 'away';
export type Standing = 'majority' | 'doubt' | 'minority';

export interface FoundNode {
  readonly node: SwarmNode;
  /** Null: a machine of the Swarm that is none of the platform's. */
  readonly member: Member | null;
}

/** Of machines that are none of the platform's only the Swarm's word is known, and it counts for so long. */
const wordMs = 10_000;
const patienceMs = 8_000;
const againMs = 50;
/** After the platform was cut off, the others answer one after another. */
const returnMs = 10_000;
const enterMs = 60_000;

/** One manager has no majority to lose: what it ran can be told from what others run. Pure. */
export function standingOf(managers: readonly ManagerAnswer[]): Standing {
  if (managers.length < 2) return 'majority';
  const count = (answer: ManagerAnswer): number => managers.filter((each) => each === answer).length;
  if (count('here') * 2 > managers.length) return 'majority';
  return (count('here') + count('silent')) * 2 > managers.length ? 'doubt' : 'minority';
}

export class Quorum {
  readonly #members: () => Members;
  #managers: readonly FoundNode[] | null = null;
  #foundAt = 0;
  /** When there was no majority last; null: all who were lost with it are there again. */
  #cutAt: number | null = null;
  #hadMajority = false;

  constructor(members: () => Members) {
    this.#members = members;
  }

  /** What the managers said of the Swarm's nodes. */
  note(found: readonly FoundNode[]): void {
    this.#managers = found.filter(({ node }) => node.ManagerStatus !== undefined);
    this.#foundAt = performance.now();
    this.observe();
  }

  /** To be said whenever a node was lost, or is back. */
  observe(): void {
    const members = this.#members();
    if (members.isAlone) this.#cutAt = null;
    else if (members.ready().length > 0 && this.#standing() !== 'minority') this.#hadMajority = true;
    // At its start the platform finds them for the first time.
    else if (this.#hadMajority) this.#cutAt = performance.now();
  }

  /** Resolves when it may be acted on; waits a while for that. Rejects with `unavailable`. */
  async trusted(): Promise<void> {
    const until = performance.now() + patienceMs;
    for (;;) {
      this.observe();
      const standing = this.#standing();
      if (standing === 'majority' && this.#isWhole()) return;
      if (standing === 'minority' || performance.now() > until)
        throw unavailable(
          standing === 'majority'
            ? 'the nodes of the Docker engine are being found again'
            : 'most managers of the Docker Swarm do not answer: it may be the platform that is cut off, so nothing is decided',
        );
      await delay(againMs);
    }
  }

  /** Whoever may come back after the platform was cut off has come back, or had the time to. */
  #isWhole(): boolean {
    if (this.#cutAt === null) return true;
    const missing = this.#members()
      .all()
      .filter(({ isReady, isPart }) => !isReady && isPart !== false);
    const sinceMs = performance.now() - this.#cutAt;
    const isOver = sinceMs >= (missing.some(({ isGrey }) => !isGrey) ? enterMs : returnMs);
    if (missing.length > 0 && !isOver) return false;
    this.#cutAt = null;
    return true;
  }

  #standing(): Standing {
    if (this.#managers === null) return standingOf(this.#toldManagers());
    const isFresh = performance.now() - this.#foundAt < wordMs;
    return standingOf(
      this.#managers.map(({ node, member }) => {
        if (member !== null) return answerOf(member);
        return isFresh && node.ManagerStatus?.Reachability === 'reachable' ? 'here' : 'away';
      }),
    );
  }

  /** As the nodes themselves say, before a manager was asked. */
  #toldManagers(): readonly ManagerAnswer[] {
    const members = this.#members();
    const told = members.ready().flatMap(({ info }) => info?.Swarm.RemoteManagers ?? []);
    return [...new Set(told.map(({ NodeID }) => NodeID))].map((id) => {
      const member = members.all().find(({ machineId }) => machineId === id);
      return member === undefined ? 'away' : answerOf(member);
    });
  }
}

function answerOf({ isReady, isGrey }: Member): ManagerAnswer {
  if (!isReady) return 'away';
  return isGrey ? 'silent' : 'here';
}
