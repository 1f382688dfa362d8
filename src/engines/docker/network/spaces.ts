/**
 * The networks of spaces: an overlay each, and on the node a gateway to it. The gateway is a container that holds the network there, so
 * that others join it fast; through it the node reaches instances at their own addresses, and the targets of links have theirs.
 */
import type { Logger } from '../../../lib/logger.ts';
import type { DockerApi } from '../api/docker-api.ts';
import { isStatus } from '../api/docker-error.ts';
import type { NetworkDetails } from '../api/shapes.ts';
import { labels, type Names } from '../names.ts';
import type { NodeHelper } from '../node-helper.ts';
import { rounds } from '../rounds.ts';
import { ensureRunning, removeContainer } from '../standing-container.ts';
import { gatewayRules } from './gateway-rules.ts';
import type { LinkPlaces } from './link-places.ts';
import type { NodeFirewall } from './node-firewall.ts';
import { containerRange, freeSubnet, gatewayOf, parseSubnet, type Subnet, subnetText } from './subnets.ts';

export interface SpacesParts {
  readonly api: DockerApi;
  readonly names: Names;
  readonly helper: NodeHelper;
  readonly firewall: NodeFirewall;
  readonly places: LinkPlaces;
  readonly logger: Logger;
  readonly pool: Subnet;
  readonly image: () => Promise<string>;
}

export interface Space {
  readonly network: string;
  readonly subnet: Subnet;
  /** Puts the places and routes of now in force. */
  readonly apply: () => Promise<void>;
}

const limits = { Memory: 64 * 2 ** 20, PidsLimit: 32 };

/** Brings the gateway's addresses and rules up, and the node's route to it. Arguments: its process, subnet, rules, addresses. */
const plumb = `
pid=$1 subnet=$2 rules=$3; shift 3
inside() { nsenter "--net=/proc/$pid/ns/net" "$@"; }
pick() { n=$1; shift; set -- $*; eval "echo \\"\\\${$n}\\""; }
inner=$(pick 2 $(inside ip -o -4 address show to "$subnet"))
outer=$(pick 5 $(inside ip -o -4 route show default))
own=$(pick 4 $(inside ip -o -4 address show dev "$outer"))
for place in "$@"; do inside ip address replace "$place/32" dev "$inner"; done
printf '%s' "$rules" | inside iptables-restore
ip route replace "$subnet" via "\${own%/*}"
`;

export class Spaces {
  readonly #parts: SpacesParts;
  readonly #known = new Map<string, Promise<Space>>();
  readonly #going = new Map<string, Promise<void>>();

  constructor(parts: SpacesParts) {
    this.#parts = parts;
  }

  /** Resolves when the space's network is there and its rules are in force. */
  ensure(spaceId: string): Promise<Space> {
    const known = this.#known.get(spaceId);
    if (known !== undefined) return known;
    const making = (this.#going.get(spaceId) ?? Promise.resolve()).then(() => this.#make(spaceId));
    this.#known.set(spaceId, making);
    making.catch(() => this.#known.delete(spaceId));
    return making;
  }

  /** The daemon was away, or a gateway ended: each is looked at when it is needed next. */
  forget(): void {
    this.#known.clear();
  }

  /** Puts the table of links in force wherever somebody follows one. */
  async applyAll(): Promise<void> {
    const spaces = this.#parts.places.spaces();
    await Promise.all(spaces.map(async (spaceId) => (await this.ensure(spaceId)).apply()));
  }

  /** Takes the networks of spaces away that nothing is in. */
  async prune(inUse: (spaceId: string) => boolean): Promise<void> {
    const { api, names, logger } = this.#parts;
    const query = { filters: names.filters() };
    for (const network of await api.call<readonly NetworkDetails[]>('GET', '/networks', { query })) {
      const spaceId = network.Labels?.[labels.space];
      if (spaceId === undefined || inUse(spaceId)) continue;
      this.#known.delete(spaceId);
      const going = this.#remove(spaceId, network)
        .catch((error: unknown) => logger.warn({ error, spaceId }, 'the network of an empty space stays'))
        .finally(() => this.#going.delete(spaceId));
      this.#going.set(spaceId, going);
      await going;
    }
  }

  async #remove(spaceId: string, network: NetworkDetails): Promise<void> {
    const { api, names, helper } = this.#parts;
    await removeContainer(api, names.anchor(spaceId));
    await api.call('DELETE', `/networks/${network.Id}`);
    const subnet = network.IPAM.Config?.[0]?.Subnet;
    if (subnet !== undefined) await helper.run('ip route del "$1" 2>/dev/null || true', subnet);
  }

  async #make(spaceId: string): Promise<Space> {
    const { api, names, firewall } = this.#parts;
    await firewall.raise();
    const subnet = await this.#network(spaceId);
    const apply = rounds(async () => {
      const { State } = await ensureRunning(api, names.anchor(spaceId), () => this.#anchor(spaceId));
      await this.#plumb(spaceId, subnet, State.Pid);
    });
    await apply();
    return { network: names.network(spaceId), subnet, apply };
  }

  async #plumb(spaceId: string, subnet: Subnet, pid: number): Promise<void> {
    const { helper, places, firewall } = this.#parts;
    const text = subnetText(subnet);
    const rules = gatewayRules(text, await firewall.gateway(), places.routesOf(spaceId));
    await helper.run(plumb, String(pid), text, rules, ...places.addressesOf(spaceId));
  }

  async #anchor(spaceId: string): Promise<object> {
    const { names, image } = this.#parts;
    return {
      Image: await image(),
      Entrypoint: ['/bin/sleep'],
      Cmd: ['infinity'],
      User: '65534:65534',
      Labels: names.labels('anchor', { [labels.space]: spaceId }),
      HostConfig: {
        ...limits,
        NetworkMode: names.network(spaceId),
        Init: true,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges'],
        Sysctls: { 'net.ipv4.ip_forward': '1' },
        LogConfig: { Type: 'none' },
        ReadonlyRootfs: true,
      },
    };
  }

  /** Finds or makes the overlay, in a part of the pool that no other network has. */
  async #network(spaceId: string): Promise<Subnet> {
    const { api, names, pool } = this.#parts;
    const name = names.network(spaceId);
    for (let tries = 0; ; tries++) {
      const all = await api.call<readonly NetworkDetails[]>('GET', '/networks');
      const own = all.find((network) => network.Name === name)?.IPAM.Config?.[0]?.Subnet;
      if (own !== undefined) return parseSubnet(own);
      const taken = all.flatMap(({ IPAM }) => (IPAM.Config ?? []).flatMap(({ Subnet: text }) => ipv4(text)));
      const subnet = freeSubnet(pool, taken, tries);
      if (subnet === undefined) throw new Error('no addresses are left for another space on this Swarm');
      const config = { Subnet: subnetText(subnet), IPRange: containerRange(subnet), Gateway: gatewayOf(subnet) };
      try {
        await api.call('POST', '/networks/create', {
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
        if (!isStatus(error, 400, 403, 409, 500) || tries >= 20) throw error;
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
