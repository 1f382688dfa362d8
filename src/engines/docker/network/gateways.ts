/**
 * The gateways of a node, one to each space that it has to do with: a container that holds the space's network there, so that others join it
 * fast; through it the node reaches instances at their own addresses, on whichever node they run, and the targets of links have theirs.
 */
import { unavailable } from '../../../core/errors.ts';
import type { DockerApi } from '../api/docker-api.ts';
import { labels, type Names } from '../names.ts';
import type { NodeHelper } from '../node-helper.ts';
import { rounds } from '../rounds.ts';
import { ensureRunning, removeContainer } from '../standing-container.ts';
import { gatewayRules } from './gateway-rules.ts';
import type { LinkPlaces } from './link-places.ts';
import type { NodeFirewall } from './node-firewall.ts';
import type { SpaceNetwork, SpaceNetworks } from './space-networks.ts';
import { type Subnet, subnetText } from './subnets.ts';

export interface GatewaysParts {
  readonly api: DockerApi;
  readonly names: Names;
  readonly networks: SpaceNetworks;
  readonly helper: NodeHelper;
  readonly firewall: NodeFirewall;
  readonly places: LinkPlaces;
  readonly image: () => Promise<string>;
}

export interface Space {
  readonly network: string;
  readonly subnet: Subnet;
  /** Puts the places and routes of now in force. */
  readonly apply: () => Promise<void>;
}

const limits = { Memory: 64 * 2 ** 20, PidsLimit: 32 };

/**
 * Brings the gateway's addresses and rules up, and the node's route to it. Arguments: its process, subnet, rules, addresses. Every node's
 * gateway has the same addresses for the targets of links: an overlay asks no other machine who has an address (its VXLAN device answers for
 * those that Swarm gave out, and sends nothing to all), so each instance finds the gateway of its own node.
 */
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

export class Gateways {
  readonly #parts: GatewaysParts;
  readonly #known = new Map<string, Promise<Space>>();
  readonly #up = new Set<string>();
  /** Those that are being made, also when they were forgotten meanwhile. */
  readonly #making = new Set<Promise<Space>>();
  #isClosed = false;

  constructor(parts: GatewaysParts) {
    this.#parts = parts;
  }

  /** Resolves when the space's network is there and its rules are in force on this node. */
  ensure(spaceId: string): Promise<Space> {
    const known = this.#known.get(spaceId);
    if (known !== undefined) return known;
    if (this.#isClosed) return Promise.reject(unavailable('this node is being taken out'));
    const making = this.#make(spaceId);
    this.#known.set(spaceId, making);
    this.#making.add(making);
    making.then(
      () => {
        this.#making.delete(making);
        if (this.#known.get(spaceId) === making) this.#up.add(spaceId);
      },
      () => {
        this.#making.delete(making);
        if (this.#known.get(spaceId) === making) this.#known.delete(spaceId);
      },
    );
    return making;
  }

  /** Whether `ensure` brought it up since the daemon came; asks nobody. */
  isUp(spaceId: string): boolean {
    return this.#up.has(spaceId);
  }

  /** The daemon was away, or a gateway ended: each is looked at when it is needed next. */
  forget(): void {
    this.#known.clear();
    this.#up.clear();
  }

  /** Puts the table of links in force in these spaces, as far as somebody follows a link there. */
  async apply(spaces: Iterable<string>): Promise<void> {
    const linked = new Set(this.#parts.places.spaces());
    const wanted = [...new Set(spaces)].filter((spaceId) => linked.has(spaceId));
    await Promise.all(wanted.map(async (spaceId) => (await this.ensure(spaceId)).apply()));
  }

  /** Spaces whose gateways this client looked at since the daemon came. */
  spaces(): readonly string[] {
    return [...this.#known.keys()];
  }

  /** The node is being emptied: none is made any more. Resolves when those that were begun are there, or are not to be had. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#making);
  }

  /** Nothing to do where there is none. */
  async remove({ spaceId, subnet }: SpaceNetwork): Promise<void> {
    const { api, names, helper } = this.#parts;
    this.#known.delete(spaceId);
    this.#up.delete(spaceId);
    await removeContainer(api, names.anchor(spaceId));
    if (subnet !== null) await helper.run('ip route del "$1" 2>/dev/null || true', subnet);
  }

  async #make(spaceId: string): Promise<Space> {
    const { api, names, firewall, networks } = this.#parts;
    const subnet = await networks.ensure(spaceId);
    await firewall.raise();
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
}
