/**
 * Which instances to move so that the nodes of a pool carry the same: first those of each process, then all together; counts that differ by
 * one are even. Of all plans that do so it is one with the fewest moves. Pure; where the moved ones go is the placement's to decide, which
 * fills the nodes with the fewest of a process first.
 */

export interface Balanced {
  readonly id: string;
  /** Those of one group are spread evenly: the instances of one process of an app. */
  readonly group: string;
  readonly nodeId: string;
  /** False: it stays, and is counted where it is. */
  readonly movable: boolean;
}

/** Within a group the later ones are moved first. Instances on other nodes than these are left out of it. */
export function planRebalance(nodeIds: readonly string[], instances: readonly Balanced[]): readonly string[] {
  if (nodeIds.length < 2) return [];
  const groups = groupsOf(nodeIds, instances);
  const others = nodeIds.map(
    (nodeId) => instances.filter((one) => one.nodeId === nodeId && !groups.has(one.group)).length,
  );
  const spreads = [...groups.values()].map((members) => new Spread(members.map((there) => there.length)));
  evenOut(spreads, others);
  return [...groups.values()].flatMap((members, at) =>
    members.flatMap((there, node) => there.slice(spreads[at]?.target(node) ?? there.length)),
  );
}

/** By group, by node: ids. A group of which a part must stay stays as a whole. */
function groupsOf(
  nodeIds: readonly string[],
  instances: readonly Balanced[],
): ReadonlyMap<string, readonly (readonly string[])[]> {
  const fixed = new Set(instances.filter(({ movable }) => !movable).map(({ group }) => group));
  const groups = new Map<string, string[][]>();
  for (const { id, group, nodeId } of instances) {
    const node = nodeIds.indexOf(nodeId);
    if (node < 0 || fixed.has(group)) continue;
    const members = groups.get(group) ?? nodeIds.map(() => []);
    members[node]?.push(id);
    groups.set(group, members);
  }
  return groups;
}

/** One group: every node gets the same, and `#extra` says which of them get one more. */
class Spread {
  readonly #counts: readonly number[];
  readonly #base: number;
  readonly #extra: boolean[];

  /** Begins with the fewest moves for the group alone: who has more than its share keeps one more, as far as they reach. */
  constructor(counts: readonly number[]) {
    const total = counts.reduce((sum, count) => sum + count, 0);
    this.#counts = counts;
    this.#base = Math.floor(total / counts.length);
    const order = counts.map((_, node) => node).sort((one, other) => this.#saves(other) - this.#saves(one));
    const chosen = new Set(order.slice(0, total - this.#base * counts.length));
    this.#extra = counts.map((_, node) => chosen.has(node));
  }

  target(node: number): number {
    return this.#base + (this.#extra[node] === true ? 1 : 0);
  }

  /** How many moves more it takes when the one more goes to another node; null where it cannot. */
  cost(from: number, to: number): number | null {
    return this.#extra[from] === true && this.#extra[to] === false ? this.#saves(from) - this.#saves(to) : null;
  }

  give(from: number, to: number): void {
    this.#extra[from] = false;
    this.#extra[to] = true;
  }

  #saves(node: number): number {
    return (this.#counts[node] ?? 0) > this.#base ? 1 : 0;
  }
}

interface Step {
  readonly spread: Spread;
  readonly from: number;
  readonly to: number;
  /** Moves that it adds. */
  readonly cost: number;
}

/**
 * Passes what is above the even share along chains of nodes, each time along a cheapest chain: so the number of moves stays the fewest
 * possible (successive shortest paths of a minimum-cost flow, Ahuja, Magnanti and Orlin, "Network Flows", 9.7).
 */
function evenOut(spreads: readonly Spread[], others: readonly number[]): void {
  const totals = others.map((count, node) => spreads.reduce((sum, spread) => sum + spread.target(node), count));
  for (;;) {
    const best = bestChain(spreads, totals);
    if (best === null) return;
    for (const { spread, from, to } of best) {
      spread.give(from, to);
      totals[from] = (totals[from] ?? 0) - 1;
      totals[to] = (totals[to] ?? 0) + 1;
    }
  }
}

/** From the fullest nodes first; a chain between nodes that are even already is only worth it when it saves moves. */
function bestChain(spreads: readonly Spread[], totals: readonly number[]): readonly Step[] | null {
  const cheapest = cheapestSteps(spreads, totals.length);
  let best: { readonly gain: number; readonly cost: number; readonly chain: readonly Step[] } | null = null;
  for (const from of totals.keys()) {
    const { costs, last } = cheapestChains(cheapest, from);
    for (const [to, cost] of costs.entries()) {
      const gain = (totals[from] ?? 0) - (totals[to] ?? 0);
      const isWorth = to !== from && Number.isFinite(cost) && (gain > 1 || (gain === 1 && cost < 0));
      if (!isWorth || (best !== null && (gain < best.gain || (gain === best.gain && cost >= best.cost)))) continue;
      best = { gain, cost, chain: chainTo(last, from, to) };
    }
  }
  return best?.chain ?? null;
}

/** Of all groups that can give from one node to another, one that loses least by it. */
function cheapestSteps(spreads: readonly Spread[], nodes: number): readonly Step[] {
  const steps = new Map<string, Step>();
  for (const spread of spreads) {
    for (let from = 0; from < nodes; from += 1) {
      for (let to = 0; to < nodes; to += 1) {
        const cost = spread.cost(from, to);
        const known = steps.get(`${from} ${to}`);
        if (cost === null || (known !== undefined && known.cost <= cost)) continue;
        steps.set(`${from} ${to}`, { spread, from, to, cost });
      }
    }
  }
  return [...steps.values()];
}

/** Bellman and Ford's, since a step may save a move. */
function cheapestChains(
  steps: readonly Step[],
  start: number,
): { readonly costs: ReadonlyMap<number, number>; readonly last: ReadonlyMap<number, Step> } {
  const costs = new Map([[start, 0]]);
  const last = new Map<number, Step>();
  for (let changed = true; changed; ) {
    changed = false;
    for (const step of steps) {
      const cost = (costs.get(step.from) ?? Number.POSITIVE_INFINITY) + step.cost;
      if (step.to === start || cost >= (costs.get(step.to) ?? Number.POSITIVE_INFINITY)) continue;
      costs.set(step.to, cost);
      last.set(step.to, step);
      changed = true;
    }
  }
  return { costs, last };
}

function chainTo(last: ReadonlyMap<number, Step>, start: number, end: number): readonly Step[] {
  const chain: Step[] = [];
  for (let step = last.get(end); step !== undefined; step = step.from === start ? undefined : last.get(step.from))
    chain.unshift(step);
  return chain;
}
