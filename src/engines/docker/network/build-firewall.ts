/** Keeps the firewall around builds in force on a node that has built. */
import type { DockerApi } from '../api/docker-api.ts';
import { isStatus } from '../api/docker-error.ts';
import type { NetworkDetails } from '../api/shapes.ts';
import type { NodeHelper } from '../node-helper.ts';
import { type BuildRules, buildChains, buildJumps, buildRules } from './build-rules.ts';
import { lowerScript, raiseScript } from './firewall-scripts.ts';

export interface BuildFirewallParts {
  readonly api: DockerApi;
  readonly helper: NodeHelper;
  readonly chainPrefix: string;
  /** What holds at the moment. */
  readonly rules: () => Pick<BuildRules, 'pool' | 'refuse'>;
}

const network = 'bridge';
const nameOption = 'com.docker.network.bridge.name';

export class BuildFirewall {
  readonly #parts: BuildFirewallParts;

  constructor(parts: BuildFirewallParts) {
    this.#parts = parts;
  }

  /** Puts the rules of now in force; rejects when the kernel refuses them. Said before every build: it takes no longer than an exec. */
  async raise(): Promise<void> {
    const { helper, chainPrefix } = this.#parts;
    const bridge = await this.#bridge();
    // Without that bridge a step has no network to keep it from.
    if (bridge === null) return;
    const text = buildRules({ ...this.#parts.rules(), chainPrefix, bridge });
    await helper.run(raiseScript, text, 'no', ...this.#jumps(bridge));
  }

  /** Takes them away, if they are there. */
  async lower(): Promise<void> {
    const { helper, chainPrefix } = this.#parts;
    const bridge = await this.#bridge();
    if (bridge === null) return;
    const chain = buildChains(chainPrefix);
    await helper.run(lowerScript, ...this.#jumps(bridge), '--', `filter ${chain.input}`, `filter ${chain.forward}`);
  }

  #jumps(bridge: string): string[] {
    const { chainPrefix } = this.#parts;
    return buildJumps({ chainPrefix, bridge }).map(({ table, words }) => [table, ...words].join(' '));
  }

  /** The name of the interface; null where the daemon was told to have none. */
  async #bridge(): Promise<string | null> {
    try {
      const { Options } = await this.#parts.api.call<NetworkDetails>('GET', `/networks/${network}`);
      return Options?.[nameOption] ?? null;
    } catch (error) {
      if (isStatus(error, 404)) return null;
      throw error;
    }
  }
}
