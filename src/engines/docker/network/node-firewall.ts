/** Keeps the firewall of the node in force. */
import { setTimeout as delay } from 'node:timers/promises';
import { dockerBridge as bridge } from '../../common/instance-interfaces.ts';
import type { DockerApi } from '../api/docker-api.ts';
import { isStatus } from '../api/docker-error.ts';
import type { NetworkDetails } from '../api/shapes.ts';
import type { NodeHelper } from '../node-helper.ts';
import { lowerScript, raiseScript } from './firewall-scripts.ts';
import { type NodeRules, nodeChains, nodeJumps, nodeRules } from './node-rules.ts';

export interface FirewallParts {
  readonly api: DockerApi;
  readonly helper: NodeHelper;
  readonly chainPrefix: string;
  /** What holds at the moment; after a change `forget`, and whoever needs the firewall next raises it anew. */
  readonly rules: () => Omit<NodeRules, 'gateway' | 'bridge' | 'chainPrefix'>;
}

const bridgeMs = 100;
const bridgeTries = 30;

export class NodeFirewall {
  readonly #parts: FirewallParts;
  #raised: Promise<void> | null = null;
  #last: Promise<void> = Promise.resolve();
  #gateway: Promise<string> | null = null;

  constructor(parts: FirewallParts) {
    this.#parts = parts;
  }

  /** The node's address as instances see it. */
  gateway(): Promise<string> {
    this.#gateway ??= this.#readGateway().catch((error: unknown) => {
      this.#gateway = null;
      throw error;
    });
    return this.#gateway;
  }

  /** Puts the rules in force if that has not happened yet; rejects when the kernel refuses them, and then the next call tries again. */
  raise(): Promise<void> {
    if (this.#raised !== null) return this.#raised;
    // In turn, so that the rules of before do not come into force last.
    const raising = this.#last.then(() => this.#raise());
    this.#raised = raising;
    this.#last = raising.catch(() => {
      if (this.#raised === raising) this.#raised = null;
    });
    return raising;
  }

  /** The daemon was away and may have made its own rules anew. */
  forget(): void {
    this.#raised = null;
    this.#gateway = null;
  }

  async lower(): Promise<void> {
    const { helper, chainPrefix } = this.#parts;
    const chain = nodeChains(chainPrefix);
    const chains = [`filter ${chain.input}`, `filter ${chain.forward}`, `nat ${chain.arrive}`, `nat ${chain.leave}`];
    await helper.run(lowerScript, ...this.#jumps(), '--', ...chains);
    this.#raised = null;
  }

  async #raise(): Promise<void> {
    const { helper, chainPrefix } = this.#parts;
    const gateway = await this.gateway();
    const rules = this.#parts.rules();
    const text = nodeRules({ ...rules, chainPrefix, bridge, gateway });
    await helper.run(raiseScript, text, rules.allowHostPorts.length > 0 ? 'yes' : 'no', ...this.#jumps());
  }

  #jumps(): string[] {
    const { chainPrefix } = this.#parts;
    return nodeJumps({ chainPrefix, bridge }).map(({ table, words }) => [table, ...words].join(' '));
  }

  async #readGateway(): Promise<string> {
    const { api } = this.#parts;
    for (let tries = 0; ; tries++) {
      try {
        const found = await api.call<NetworkDetails>('GET', `/networks/${bridge}`);
        const gateway = found.IPAM.Config?.[0]?.Gateway;
        if (gateway === undefined) throw new Error(`the network ${bridge} has no address on this node`);
        return gateway;
      } catch (error) {
        if (!isStatus(error, 404) || tries >= bridgeTries) throw error;
        // Docker makes it a moment after the Swarm, or with the first container.
        if (tries === bridgeTries - 1) await this.#makeBridge();
        else await delay(bridgeMs);
      }
    }
  }

  /** As Docker itself would. */
  async #makeBridge(): Promise<void> {
    const option = 'com.docker.network.bridge';
    const body = {
      Name: bridge,
      Driver: 'bridge',
      CheckDuplicate: true,
      Options: {
        [`${option}.name`]: bridge,
        [`${option}.enable_icc`]: 'false',
        [`${option}.enable_ip_masquerade`]: 'true',
      },
    };
    try {
      await this.#parts.api.call('POST', '/networks/create', { body });
    } catch (error) {
      if (!isStatus(error, 403, 409)) throw error;
    }
  }
}
