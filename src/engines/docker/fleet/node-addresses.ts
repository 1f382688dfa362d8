/** The addresses of the machines themselves: no instance may reach one of them, and the platform may reach instances through each. */
import { isIPv4 } from 'node:net';
import type { NodeRules } from '../network/node-rules.ts';
import type { DockerEngineOptions } from '../settings.ts';
import type { Member } from './member.ts';
import type { Members } from './members.ts';

export class NodeAddresses {
  readonly #options: Pick<DockerEngineOptions, 'refuse' | 'routers'>;
  readonly #members: () => Members;
  /** What the firewall of each was raised with last. */
  readonly #raised = new WeakMap<Member, string>();

  constructor(options: Pick<DockerEngineOptions, 'refuse' | 'routers'>, members: () => Members) {
    this.#options = options;
    this.#members = members;
  }

  /** For the firewall of one of them. */
  rulesFor(member: Member | null): Pick<NodeRules, 'refuse' | 'routers'> {
    const { refuse = [], routers = [] } = this.#options;
    const members = this.#members();
    const machines = members.isAlone
      ? [members.home.wire?.theirs, members.home.wire?.ours]
      : members.all().flatMap(({ wire, info }) => [wire?.theirs, wire?.ours, info?.Swarm.NodeAddr]);
    return {
      refuse: unique([...refuse, ...machines.filter(isOutside)]),
      routers: unique([...routers, ...[member?.wire?.ours].filter(isOutside)]),
    };
  }

  /** Raises the firewalls of those for which something changed. */
  async tend(): Promise<void> {
    const raising = this.#members()
      .ready()
      .map(async (member) => {
        const rules = JSON.stringify(this.rulesFor(member));
        if (this.#raised.get(member) === rules) return;
        const { firewall } = member.node.parts;
        firewall.forget();
        await firewall.raise();
        this.#raised.set(member, rules);
      });
    for (const result of await Promise.allSettled(raising)) if (result.status === 'rejected') throw result.reason;
  }
}

const isOutside = (address: string | undefined): address is string =>
  address !== undefined && isIPv4(address) && !address.startsWith('127.');
const unique = (values: readonly string[]): string[] => [...new Set(values)].toSorted();
