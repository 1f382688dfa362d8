import type { ProcessSituation } from './situation.ts';

type Member = ProcessSituation['instances'][number];

export interface Census {
  /** Of the wanted generation, in any state, best first: ready, starting, crashed; older first. */
  readonly wanted: readonly Member[];
  readonly ready: number;
  readonly starting: number;
  readonly old: readonly Member[];
  readonly oldReady: readonly Member[];
}

const rank = { ready: 0, starting: 1, crashed: 2, draining: 3 } as const;

/** Sorts the instances of a process into those that are wanted and those of an older generation. */
export function census({ generation, instances }: ProcessSituation): Census {
  const living = instances.filter((member) => member.state !== 'draining');
  const wanted = living
    .filter((member) => member.generation === generation)
    .sort((a, b) => rank[a.state] - rank[b.state] || a.createdAt.getTime() - b.createdAt.getTime());
  const old = living.filter((member) => member.generation !== generation);
  return {
    wanted,
    ready: wanted.filter((member) => member.state === 'ready').length,
    starting: wanted.filter((member) => member.state === 'starting').length,
    old,
    oldReady: old.filter((member) => member.state === 'ready'),
  };
}

/** The wanted ones above the quantity: crashed go first, then starting, then the youngest ready. */
export const surplus = (counted: Census, quantity: number): readonly string[] =>
  counted.wanted.slice(quantity).map((member) => member.id);
