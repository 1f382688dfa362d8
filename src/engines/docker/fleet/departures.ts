/**
 * Machines that the platform's table names no more: what is ours there goes, and they leave the Swarm. Until then they are added by no other
 * address: what that finds or starts there would go too.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { unavailable } from '../../../core/errors.ts';
import type { Logger } from '../../../lib/logger.ts';
import type { ContainerSummary } from '../api/shapes.ts';
import { whileWanted } from '../images/while-wanted.ts';
import type { SharedParts } from '../shared-parts.ts';
import { removeContainer } from '../standing-container.ts';
import type { Member } from './member.ts';
import { expel } from './membership.ts';

export interface DeparturesParts {
  readonly shared: SharedParts;
  /** Whether the table still has that machine, at another address. */
  readonly isKept: (member: Member) => boolean;
  readonly logger: Logger;
}

interface Departure {
  /** Swarm's id of the machine; null: it leaves no Swarm. */
  readonly swarmId: string | null;
  readonly over: Promise<void>;
}

const clearTries = 3;
const clearMs = 120_000;
const againMs = 1_000;
const leaveMs = 30_000;

export class Departures {
  readonly #parts: DeparturesParts;
  readonly #leaving = new Map<Member, Departure>();
  readonly #closed = new AbortController();

  constructor(parts: DeparturesParts) {
    this.#parts = parts;
  }

  /** Whether the machine is on its way out of the Swarm, whatever its address. */
  isLeaving(swarmId: string): boolean {
    return [...this.#leaving.values()].some((departure) => departure.swarmId === swarmId);
  }

  /** Whether this way to a machine is on its way out. */
  has(member: Member): boolean {
    return this.#leaving.has(member);
  }

  /** Throws `unavailable` while the machine is leaving. */
  refuse(swarmId: string): void {
    if (this.isLeaving(swarmId)) throw unavailable('it is still leaving the Swarm, because it was removed before');
  }

  begin(member: Member): void {
    const { isKept, logger } = this.#parts;
    const isForgotten = isKept(member);
    const swarmId = isForgotten ? null : (member.info?.Swarm.NodeID ?? null);
    if (isForgotten) logger.info({ node: member.id }, 'a second address of a node is forgotten');
    const work = isForgotten ? member.close() : this.#leave(member, swarmId);
    const over = work
      .catch((error: unknown) => logger.warn({ error, node: member.id }, 'a node did not leave as it should'))
      .finally(() => this.#leaving.delete(member));
    this.#leaving.set(member, { swarmId, over });
  }

  /** Whoever has not left yet stays a part of the Swarm, which another server sees to. */
  async close(): Promise<void> {
    this.#closed.abort();
    await Promise.all([...this.#leaving.values()].map(({ over }) => over));
  }

  /** A machine that does not answer is forgotten by the Swarm, and what is on it stays until it is added again. */
  async #leave(member: Member, swarmId: string | null): Promise<void> {
    const { shared, logger } = this.#parts;
    const { id, node } = member;
    try {
      const isCleared = member.isReady && (await this.#clear(member));
      if (!isCleared)
        logger.warn({ node: id }, 'a node is taken out that does not answer; what runs on it stays there');
      if (swarmId !== null) {
        await this.#expel(member, swarmId);
        if (isCleared) await node.api.call('POST', '/swarm/leave', { query: { force: true }, timeoutMs: leaveMs });
      }
      logger.info({ node: id }, 'a node has left');
    } finally {
      await member.close();
      shared.networks.forget();
    }
  }

  /**
   * Resolves once the others know it no more, however long that takes: a manager that went without that would take their majority along. Rejects
   * when this server ends.
   */
  async #expel({ id }: Member, swarmId: string): Promise<void> {
    const { shared, logger } = this.#parts;
    const { signal } = this.#closed;
    for (let said = ''; ; ) {
      const asked = expel(shared.managers, swarmId).catch((error: unknown) => String(error));
      const obstacle = await whileWanted(signal, asked);
      if (obstacle === null) return;
      if (obstacle !== said) logger.info({ node: id, obstacle }, 'a node does not leave the Swarm yet');
      said = obstacle;
      await delay(againMs, undefined, { signal });
    }
  }

  /** Whether nothing of ours is there any more. Rejects when this server ends. */
  async #clear(member: Member): Promise<boolean> {
    const { signal } = this.#closed;
    for (let tries = 1; tries <= clearTries; tries++) {
      const inTime = AbortSignal.any([signal, AbortSignal.timeout(clearMs)]);
      try {
        await whileWanted(inTime, this.#empty(member, inTime));
        return true;
      } catch (error) {
        signal.throwIfAborted();
        this.#parts.logger.warn({ error, node: member.id }, 'a node that leaves is not empty yet');
        await delay(againMs, undefined, { signal });
      }
    }
    return false;
  }

  /** Begins no further step once the signal aborted. */
  async #empty({ node }: Member, signal: AbortSignal): Promise<void> {
    const { shared } = this.#parts;
    await node.clear();
    signal.throwIfAborted();
    const networks = await shared.networks.list().catch(() => []);
    signal.throwIfAborted();
    await Promise.all(networks.map((network) => node.parts.gateways.remove(network)));
    signal.throwIfAborted();
    await node.lower();
    const query = { all: true, filters: shared.names.filters() };
    const left = await node.api.call<readonly ContainerSummary[]>('GET', '/containers/json', { query });
    signal.throwIfAborted();
    await Promise.all(left.map(({ Id }) => removeContainer(node.api, Id)));
  }
}
