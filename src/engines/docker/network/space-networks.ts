/** The networks of spaces: an overlay each, over all machines of the Swarm, made and taken away once through a manager of it. */
import type { DockerApi } from '../api/docker-api.ts';
import { isStatus } from '../api/docker-error.ts';
import type { NetworkDetails } from '../api/shapes.ts';
import { labels, type Names } from '../names.ts';
import { containerRange, freeSubnet, gatewayOf, parseSubnet, type Subnet, subnetText } from './subnets.ts';

export interface SpaceNetworksParts {
  /** A manager of the Swarm. */
  readonly managers: Pick<DockerApi, 'call'>;
  readonly names: Names;
  readonly pool: Subnet;
}

export interface SpaceNetwork {
  readonly spaceId: string;
  readonly id: string;
  /** Null for one that somebody made without saying. */
  readonly subnet: string | null;
}

const createTries = 20;

export class SpaceNetworks {
  readonly #parts: SpaceNetworksParts;
  readonly #known = new Map<string, Promise<Subnet>>();
  readonly #going = new Map<string, Promise<void>>();

  constructor(parts: SpaceNetworksParts) {
    this.#parts = parts;
  }

  /** Finds or makes the network of a space; waits for one that is being taken away. */
  ensure(spaceId: string): Promise<Subnet> {
    const known = this.#known.get(spaceId);
    if (known !== undefined) return known;
    const making = (this.#going.get(spaceId) ?? Promise.resolve()).catch(() => {}).then(() => this.#make(spaceId));
    this.#known.set(spaceId, making);
    making.catch(() => this.#known.delete(spaceId));
    return making;
  }

  /** A daemon was away: each is looked at when it is needed next. */
  forget(): void {
    this.#known.clear();
  }

  async list(): Promise<readonly SpaceNetwork[]> {
    const { managers, names } = this.#parts;
    const query = { filters: names.filters() };
    const found = await managers.call<readonly NetworkDetails[]>('GET', '/networks', { query });
    return found.flatMap(({ Id, Labels, IPAM }) => {
      const spaceId = Labels?.[labels.space];
      return spaceId === undefined ? [] : [{ spaceId, id: Id, subnet: IPAM.Config?.[0]?.Subnet ?? null }];
    });
  }

  /** `empty` takes everything out of it first; who asks for the space meanwhile waits, and gets a new one. */
  remove({ spaceId, id }: SpaceNetwork, empty: () => Promise<void>): Promise<void> {
    this.#known.delete(spaceId);
    const going = empty()
      .then(() => this.#parts.managers.call<void>('DELETE', `/networks/${id}`))
      .catch((error: unknown) => {
        if (!isStatus(error, 404)) throw error;
      })
      .finally(() => {
        if (this.#going.get(spaceId) === going) this.#going.delete(spaceId);
      });
    this.#going.set(spaceId, going);
    return going;
  }

  /** In a part of the pool that no other network has. */
  async #make(spaceId: string): Promise<Subnet> {
    const { managers, names, pool } = this.#parts;
    const name = names.network(spaceId);
    for (let tries = 0; ; tries++) {
      const all = await managers.call<readonly NetworkDetails[]>('GET', '/networks');
      const own = all.find((network) => network.Name === name)?.IPAM.Config?.[0]?.Subnet;
      if (own !== undefined) return parseSubnet(own);
      const taken = all.flatMap(({ IPAM }) => (IPAM.Config ?? []).flatMap(({ Subnet: text }) => ipv4(text)));
      const subnet = freeSubnet(pool, taken, tries);
      if (subnet === undefined) throw new Error('no addresses are left for another space on this Swarm');
      const config = { Subnet: subnetText(subnet), IPRange: containerRange(subnet), Gateway: gatewayOf(subnet) };
      try {
        await managers.call('POST', '/networks/create', {
          body: {
            Name: name,
            Driver: 'overlay',
            Attachable: true,
            CheckDuplicate: true,
            Labels: { ...names.labels('anchor'), [labels.space]: spaceId },
            IPAM: { Config: [config] },
          },
        });
        return subnet;
      } catch (error) {
        // Taken by somebody who was faster, for this space or another.
        if (!isStatus(error, 400, 403, 409, 500) || tries >= createTries) throw error;
      }
    }
  }
}

function ipv4(text: string | undefined): Subnet[] {
  try {
    return text === undefined ? [] : [parseSubnet(text)];
  } catch {
    return [];
  }
}
