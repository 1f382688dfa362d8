/**
 * The firewall of a node around all spaces, as text for `iptables-restore --noflush`. From an instance: out to the world, yes; to the node
 * itself only what answers or is on the allow list; to another space, the platform's machines or the cloud's metadata address, no. To an
 * instance from outside: only routers. Pure.
 */
import { processPrefix } from '../../common/instance-interfaces.ts';

export interface NodeRules {
  readonly chainPrefix: string;
  /** The bridge over which every instance goes out; Docker's own. */
  readonly bridge: string;
  /** The node's address on it. */
  readonly gateway: string;
  readonly pool: string;
  readonly allowHostPorts: readonly number[];
  readonly refuse: readonly string[];
  readonly routers: readonly string[];
}

const loopback = '127.0.0.1';

export const nodeChains = (prefix: string) => ({
  input: `${prefix}-in`,
  forward: `${prefix}-fwd`,
  arrive: `${prefix}-arr`,
  leave: `${prefix}-out`,
});

export function nodeRules({ chainPrefix, bridge, gateway, pool, ...lists }: NodeRules): string {
  const chain = nodeChains(chainPrefix);
  const answers = '-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT';
  return [
    '*filter',
    `:${chain.input} - [0:0]`,
    `:${chain.forward} - [0:0]`,
    `-A ${chain.input} ${answers}`,
    // Only what came by the translation below: nothing else of the loopback is in reach.
    ...lists.allowHostPorts.map(
      (port) => `-A ${chain.input} -d ${loopback} -p tcp --dport ${port} -m conntrack --ctstate DNAT -j ACCEPT`,
    ),
    `-A ${chain.input} -j DROP`,
    `-A ${chain.forward} -i ${bridge} ${answers}`,
    `-A ${chain.forward} -o ${bridge} ${answers}`,
    ...[bridge, `${processPrefix}+`].map((out) => `-A ${chain.forward} -i ${bridge} -o ${out} -j DROP`),
    ...[pool, '169.254.0.0/16', ...lists.refuse].map((to) => `-A ${chain.forward} -i ${bridge} -d ${to} -j DROP`),
    ...lists.routers.map((from) => `-A ${chain.forward} ! -i ${bridge} -s ${from} -d ${pool} -j ACCEPT`),
    `-A ${chain.forward} -d ${pool} -j DROP`,
    'COMMIT',
    '*nat',
    `:${chain.arrive} - [0:0]`,
    `:${chain.leave} - [0:0]`,
    ...lists.allowHostPorts.map(
      (port) => `-A ${chain.arrive} -d ${gateway} -p tcp --dport ${port} -j DNAT --to-destination ${loopback}`,
    ),
    // A space's gateway lets in the node and nobody else.
    `-A ${chain.leave} -d ${pool} -o ${bridge} -j MASQUERADE`,
    'COMMIT',
    '',
  ].join('\n');
}

export interface Jump {
  readonly table: 'filter' | 'nat';
  /** The words after -C, -I or -D. */
  readonly words: readonly string[];
}

export function nodeJumps({ chainPrefix, bridge }: Pick<NodeRules, 'chainPrefix' | 'bridge'>): readonly Jump[] {
  const chain = nodeChains(chainPrefix);
  return [
    { table: 'filter', words: ['INPUT', '-i', bridge, '-j', chain.input] },
    { table: 'filter', words: ['DOCKER-USER', '-j', chain.forward] },
    { table: 'nat', words: ['PREROUTING', '-i', bridge, '-j', chain.arrive] },
    { table: 'nat', words: ['POSTROUTING', '-j', chain.leave] },
  ];
}
