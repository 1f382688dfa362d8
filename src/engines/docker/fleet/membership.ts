/** Keeps the Swarm's own list of nodes as the fleet is: labels, managers, and nodes that are no part of it any more. */
import type { Logger } from '../../../lib/logger.ts';
import type { DockerApi } from '../api/docker-api.ts';
import { isSpare, nextManagerStep } from './manager-plan.ts';
import type { Member, Wish } from './member.ts';
import type { Members } from './members.ts';
import type { Quorum } from './quorum.ts';
import { deleteNode, ensureHeartbeat, nodeLabels, type SwarmNode, swarmNodes, updateNode } from './swarm-api.ts';

export interface MembershipParts {
  readonly members: Members;
  readonly managers: Pick<DockerApi, 'call'>;
  readonly quorum: Pick<Quorum, 'note'>;
  /** Whether this client changes anything; the others look on. */
  readonly isActive: boolean;
  readonly installId: string;
  /** On their way out: nobody else's business. */
  readonly isLeaving: (swarmId: string) => boolean;
  readonly logger: Logger;
}

/** A manager that is away for so long is replaced. */
const giveUpMs = 60_000;
/** Another server may know a node before this one is told of it. */
const strayMs = 300_000;
const heartbeatMs = 1_000;

export class Membership {
  readonly #parts: MembershipParts;
  readonly #downSince = new Map<string, number>();
  readonly #straySince = new Map<string, number>();
  #hasHeartbeat = false;

  constructor(parts: MembershipParts) {
    this.#parts = parts;
  }

  /** One round. Rejects when the managers do not answer. */
  async tend(): Promise<void> {
    const { members, managers, installId, isLeaving, quorum, isActive, logger } = this.#parts;
    const all = members.all();
    const nodes = await swarmNodes(managers);
    const found = [...members.ready(), ...members.all().filter(({ isReady }) => !isReady)].map((member) => ({
      ...{ member, node: nodes.find((node) => isNodeOf(node, member)) },
    }));
    quorum.note(nodes.map((node) => ({ node, member: found.find((each) => each.node === node)?.member ?? null })));
    for (const { member, node } of found) {
      // Who came meanwhile may have joined meanwhile.
      if (node !== undefined || all.includes(member)) member.isPart = node !== undefined;
      member.swarmSays(node?.Status.State ?? 'unknown');
    }
    if (!isActive) return;
    for (const { member, node } of found)
      if (node !== undefined && member.isReady && member.wish !== null) await this.#label(node, member.wish);
    if (!members.isAlone && !this.#hasHeartbeat) {
      await ensureHeartbeat(managers, heartbeatMs);
      this.#hasHeartbeat = true;
    }
    for (const node of nodes) {
      const isOurs = node.Spec.Labels?.[nodeLabels.install] === installId;
      const isStray = isOurs && !isLeaving(node.ID) && !found.some((each) => each.node === node);
      if (!lasts(this.#straySince, node.ID, isStray, strayMs)) continue;
      logger.info(
        { node: node.Spec.Labels?.[nodeLabels.id] },
        'a node that the platform knows no more leaves the Swarm',
      );
      await expel(managers, node.ID);
    }
    await this.#balance(nodes, found);
  }

  async #label(node: SwarmNode, wish: Wish): Promise<void> {
    const { managers, installId } = this.#parts;
    const wanted = wantedLabels(node.Spec.Labels ?? {}, wish, installId);
    if (isSame(node.Spec.Labels ?? {}, wanted)) return;
    await updateNode(managers, node.ID, (spec) => {
      const Labels = wantedLabels(spec.Labels ?? {}, wish, installId);
      return isSame(spec.Labels ?? {}, Labels) ? null : { ...spec, Labels };
    });
  }

  async #balance(
    nodes: readonly SwarmNode[],
    found: readonly { readonly member: Member; readonly node: SwarmNode | undefined }[],
  ): Promise<void> {
    const { managers, logger } = this.#parts;
    const step = nextManagerStep(
      nodes.map((node) => {
        const member = found.find((each) => each.node?.ID === node.ID)?.member;
        return {
          id: node.ID,
          isManager: node.Spec.Role === 'manager',
          isReachable: node.ManagerStatus?.Reachability === 'reachable',
          isReady: member?.isReady === true && node.Status.State === 'ready',
          isGivenUp: this.#isGivenUp(node),
          isHome: member?.isHome === true,
          isOurs: member !== undefined && (member.wish !== null || member.isHome),
        };
      }),
    );
    if (step === null) return;
    const [id, Role] = 'promote' in step ? [step.promote, 'manager' as const] : [step.demote, 'worker' as const];
    logger.info({ swarmNode: id }, `a node becomes a ${Role} of the Swarm`);
    await updateNode(managers, id, (spec) => (spec.Role === Role ? null : { ...spec, Role }));
  }

  #isGivenUp({ ID, Status }: SwarmNode): boolean {
    return lasts(this.#downSince, ID, Status.State !== 'ready', giveUpMs);
  }
}

/** Whether something about a node has been so for that long. */
function lasts(since: Map<string, number>, id: string, isSo: boolean, longMs: number): boolean {
  if (!isSo) {
    since.delete(id);
    return false;
  }
  const begun = since.get(id) ?? performance.now();
  since.set(id, begun);
  return performance.now() - begun >= longMs;
}

/**
 * One step towards a Swarm that knows a node no more, whether that node hears of it or not. A manager gives up its rank first, when the others can
 * do without it. Resolves with what is waited for, null once it is forgotten; to be said again until then. Unknown id: nothing to do.
 */
export async function expel(managers: Pick<DockerApi, 'call'>, id: string): Promise<string | null> {
  const nodes = await swarmNodes(managers);
  const node = nodes.find(({ ID }) => ID === id);
  if (node === undefined) return null;
  if (node.Spec.Role === 'manager' || node.ManagerStatus !== undefined) {
    if (!isSpare(nodes.map(rankOf), id))
      return 'the other managers of the Swarm have no majority without it, or another one leaves';
    await updateNode(managers, id, (spec) => (spec.Role === 'worker' ? null : { ...spec, Role: 'worker' }));
    return 'the other managers of the Swarm take over';
  }
  await deleteNode(managers, id);
  return null;
}

const rankOf = ({ ID, Spec, ManagerStatus }: SwarmNode) => ({
  id: ID,
  isWanted: Spec.Role === 'manager',
  isManager: ManagerStatus !== undefined,
  isReachable: ManagerStatus?.Reachability === 'reachable',
});

const isNodeOf = ({ ID, Spec }: SwarmNode, { info, wish }: Member): boolean =>
  info === null ? wish !== null && Spec.Labels?.[nodeLabels.id] === wish.id : info.Swarm.NodeID === ID;

/** Those of others stay, and those that were ours and are wanted no more go. */
export function wantedLabels(
  now: Readonly<Record<string, string>>,
  { id, poolId, labels }: Wish,
  installId: string,
): Record<string, string> {
  const before = new Set((now[nodeLabels.others] ?? '').split(' '));
  const foreign = Object.entries(now).filter(([name]) => !before.has(name) && name !== nodeLabels.others);
  const names = Object.keys(labels).toSorted();
  return {
    ...Object.fromEntries(foreign),
    ...labels,
    [nodeLabels.id]: id,
    [nodeLabels.install]: installId,
    [nodeLabels.pool]: poolId,
    ...(names.length === 0 ? {} : { [nodeLabels.others]: names.join(' ') }),
  };
}

const isSame = (one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean =>
  Object.keys(one).length === Object.keys(other).length &&
  Object.entries(one).every(([name, value]) => other[name] === value);
