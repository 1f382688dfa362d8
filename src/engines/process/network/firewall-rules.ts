/**
 * The rules around the networks of an install, as text for `iptables-restore --noflush`. From a space: out to the world, yes; to the host
 * itself only what answers or is on the allow list; to another space, an instance of another engine or the cloud's metadata address, no. A
 * link's address leads to one of its backends by chance, each as likely; without a backend it refuses. Pure.
 */
import { processPrefix } from '../../common/instance-interfaces.ts';
import { ownPrefix, sharedName } from './names.ts';

const loopback = '127.0.0.1';

export interface RuledRoute {
  /** The lasting address that the route's target has. */
  readonly address: string;
  readonly port: number;
  readonly backends: readonly { readonly host: string; readonly port: number }[];
}

/** Where instances of other engines are. */
export interface Elsewhere {
  /** As `address/bits`; the machine may have routes to them. */
  readonly blocks: readonly string[];
  /** Of this machine. */
  readonly interfaces: readonly string[];
}

export interface FirewallPlan {
  /** Interfaces of this install begin with it. */
  readonly prefix: string;
  /** All addresses of this install, as `address/bits`. */
  readonly block: string;
  /** At the address of a gateway they lead to the host's loopback. */
  readonly allowHostPorts: readonly number[];
  readonly elsewhere: Elsewhere;
  /** Numbers of the spaces whose networks reach each other. */
  readonly spaces: readonly number[];
  readonly routes: readonly RuledRoute[];
}

export const chainNames = (
  prefix: string,
): Readonly<Record<'input' | 'forward' | 'inner' | 'translate' | 'links', string>> => ({
  input: `${prefix}-in`,
  forward: `${prefix}-fwd`,
  inner: `${prefix}-spc`,
  translate: `${prefix}-nat`,
  links: `${prefix}-lnk`,
});

/** The rules in the order in which the kernel reads them. Naming a chain empties it, so saying the text again gives the same rules once. */
export function firewallRules(plan: FirewallPlan): string {
  const { prefix, block, elsewhere } = plan;
  const chain = chainNames(prefix);
  const answers = '-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT';
  return [
    '*filter',
    `:${chain.input} - [0:0]`,
    `:${chain.forward} - [0:0]`,
    `:${chain.inner} - [0:0]`,
    `-A ${chain.input} ${answers}`,
    // Only what came by the rule below: nothing else of the loopback is in reach.
    ...plan.allowHostPorts.map(
      (port) => `-A ${chain.input} -d ${loopback} -p tcp --dport ${port} -m conntrack --ctstate DNAT -j ACCEPT`,
    ),
    `-A ${chain.input} -j DROP`,
    `-A ${chain.forward} ${answers}`,
    `-A ${chain.forward} -o ${prefix}+ -j ${chain.inner}`,
    `-A ${chain.forward} -o ${processPrefix}+ -j DROP`,
    // An address of ours that leads nowhere would go out by the host's default route, and others' instances take the host for their router.
    ...[block, ...elsewhere.blocks].flatMap((to) => refuse(`-A ${chain.forward} -d ${to}`)),
    ...elsewhere.interfaces.flatMap((name) => refuse(`-A ${chain.forward} -o ${name}`)),
    `-A ${chain.forward} -d 169.254.0.0/16 -j DROP`,
    `-A ${chain.forward} -i ${prefix}+ -j ACCEPT`,
    `-A ${chain.forward} -j DROP`,
    ...plan.spaces.flatMap((space) => innerRules(chain.inner, prefix, space)),
    'COMMIT',
    '*nat',
    `:${chain.translate} - [0:0]`,
    `:${chain.links} - [0:0]`,
    `-A ${chain.translate} -s ${block} ! -o ${processPrefix}+ -j MASQUERADE`,
    ...hairpins(chain.translate, plan.routes),
    ...plan.allowHostPorts.map(
      (port) =>
        `-A ${chain.links} -d ${block} -p tcp --dport ${port} -m addrtype --dst-type LOCAL -j DNAT --to-destination ${loopback}`,
    ),
    ...plan.routes.flatMap((route) => routeRules(chain.links, route)),
    'COMMIT',
    '',
  ].join('\n');
}

const refuse = (rule: string): string[] => [`${rule} -p tcp -j REJECT --reject-with tcp-reset`, `${rule} -j REJECT`];

/** A space's shared network and its own ones, in every direction; through a link also back to where it came from. */
function innerRules(chain: string, prefix: string, space: number): string[] {
  const ends = [sharedName(prefix, space), `${ownPrefix(prefix, space)}+`];
  return ends.flatMap((from) => ends.map((to) => `-A ${chain} -i ${from} -o ${to} -j ACCEPT`));
}

/** A backend that follows a link to itself would see its own address as the sender, and drop it. */
function hairpins(chain: string, routes: readonly RuledRoute[]): string[] {
  const hosts = new Set(routes.flatMap(({ backends }) => backends.map(({ host }) => host)));
  return [...hosts].map((host) => `-A ${chain} -s ${host} -d ${host} -j MASQUERADE`);
}

/** Each backend takes its share of what those before it left. */
function routeRules(chain: string, { address, port, backends }: RuledRoute): string[] {
  return backends.map((backend, index) => {
    const left = backends.length - index;
    const chance = left === 1 ? '' : `-m statistic --mode random --probability ${(1 / left).toFixed(10)} `;
    const to = `-j DNAT --to-destination ${backend.host}:${backend.port}`;
    return `-A ${chain} -d ${address} -p tcp --dport ${port} ${chance}${to}`;
  });
}
