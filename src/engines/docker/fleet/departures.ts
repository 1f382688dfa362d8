/** Machines that the platform's table names no more: what is ours there goes, and they leave the Swarm. */
import { setTimeout as delay } from 'node:timers/promises';
import { unavailable } from '../../../core/errors.ts';
import type { Logger } from '../../../lib/logger.ts';
import type { ContainerSummary } from '../api/shapes.ts';
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

const clearTries = 3;
const againMs = 1_000;
const leaveMs = 30_000;
const overMs = 10_000;

export class Departures {
  readonly #parts: DeparturesParts;
  readonly #leaving = new Map<Member, Promise<void>>();
  readonly #closed = new AbortController();

  constructor(parts: DeparturesParts) {
    this.#parts = parts;
  }

  isLeaving(swarmId: string): boolean {
    return [...this.#leaving.keys()].some(({ info }) => info?.Swarm.NodeID === swarmId);
  }

  /** Who wants a machine at this address again waits for it to have left. Rejects with `unavailable` when that takes long. */
  async over(address: string): Promise<void> {
    const leaving = [...this.#leaving].flatMap(([member, work]) => (member.address === address ? [work] : []));
    if (leaving.length === 0) return;
    const patience = new AbortController();
    const late = delay(overMs, null, { signal: patience.signal }).then(() => {
      throw unavailable('it is still leaving the Swarm, because it was removed before');
    });
    await Promise.race([Promise.all(leaving), late]).finally(() => patience.abort());
  }

  begin(member: Member): void {
    const work = this.#leave(member).finally(() => this.#leaving.delete(member));
    this.#leaving.set(member, work);
  }

  /** Whoever has not left yet stays a part of the Swarm, which another server sees to. */
  async close(): Promise<void> {
    this.#closed.abort();
    await Promise.all(this.#leaving.values());
  }

  /** Never rejects: a machine that does not answer is forgotten by the Swarm, and what is on it stays until it is added again. */
  async #leave(member: Member): Promise<void> {
    const { shared, logger } = this.#parts;
    const { id, node, info } = member;
    try {
      if (this.#parts.isKept(member)) return void logger.info({ node: id }, 'a second address of a node is forgotten');
      const isCleared = member.isReady && (await this.#clear(member));
      if (!isCleared)
        logger.warn({ node: id }, 'a node is taken out that does not answer; what runs on it stays there');
      if (info !== null) {
        await this.#expel(member, info.Swarm.NodeID);
        if (isCleared) await node.api.call('POST', '/swarm/leave', { query: { force: true }, timeoutMs: leaveMs });
      }
      logger.info({ node: id }, 'a node has left');
    } catch (error) {
      logger.warn({ error, node: id }, 'a node did not leave as it should');
    } finally {
      await member.close();
      shared.networks.forget();
    }
  }

  /** Resolves once the others know it no more: a manager that went without that would take their majority along. Rejects when this server ends. */
  async #expel({ id }: Member, swarmId: string): Promise<void> {
    const { shared, logger } = this.#parts;
    const { signal } = this.#closed;
    for (let said = ''; ; ) {
      signal.throwIfAborted();
      const obstacle = await expel(shared.managers, swarmId).catch((error: unknown) => String(error));
      if (obstacle === null) return;
      if (obstacle !== said) logger.info({ node: id, obstacle }, 'a node does not leave the Swarm yet');
      said = obstacle;
      await delay(againMs, undefined, { signal });
    }
  }

  async #clear({ node, id }: Member): Promise<boolean> {
    const { shared, logger } = this.#parts;
    for (let tries = 1; tries <= clearTries; tries++) {
      try {
        await node.clear();
        const networks = await shared.networks.list().catch(() => []);
        await Promise.all(networks.map((network) => node.parts.gateways.remove(network)));
        await node.lower();
        const query = { all: true, filters: shared.names.filters() };
        const left = await node.api.call<readonly ContainerSummary[]>('GET', '/containers/json', { query });
        await Promise.all(left.map(({ Id }) => removeContainer(node.api, Id)));
        return true;
      } catch (error) {
        logger.warn({ error, node: id }, 'a node that leaves is not empty yet');
        await delay(againMs);
      }
    }
    return false;
  }
}
