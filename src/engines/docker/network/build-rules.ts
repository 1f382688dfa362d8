/**
 * The firewall around the steps of builds, as text for `iptables-restore --noflush`. They run on Docker's default bridge, for BuildKit
 * knows no other network. Out to the world, yes (packages come from there) and to a resolver on the node; to the node itself, to spaces,
 * the platform's machines, the cloud's metadata address and each other, no. It holds for whatever else is on that bridge, as nothing
 * tells a step from another container there. Pure.
 */
import { processPrefix } from '../../common/instance-interfaces.ts';
import type { Jump, NodeRules } from './node-rules.ts';

export interface BuildRules extends Pick<NodeRules, 'chainPrefix' | 'pool' | 'refuse'> {
  /** Docker's default bridge. */
  readonly bridge: string;
}

export const buildChains = (prefix: string) => ({ input: `${prefix}-bin`, forward: `${prefix}-bfw` });

export function buildRules({ chainPrefix, bridge, pool, refuse }: BuildRules): string {
  const chain = buildChains(chainPrefix);
  const answers = '-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT';
  return [
    '*filter',
    `:${chain.input} - [0:0]`,
    `:${chain.forward} - [0:0]`,
    `-A ${chain.input} ${answers}`,
    ...['udp', 'tcp'].map((protocol) => `-A ${chain.input} -p ${protocol} --dport 53 -j ACCEPT`),
    `-A ${chain.input} -j DROP`,
    `-A ${chain.forward} -i ${bridge} ${answers}`,
    ...[bridge, `${processPrefix}+`].map((out) => `-A ${chain.forward} -i ${bridge} -o ${out} -j DROP`),
    ...[pool, '169.254.0.0/16', ...refuse].map((to) => `-A ${chain.forward} -i ${bridge} -d ${to} -j DROP`),
    'COMMIT',
    '',
  ].join('\n');
}

export function buildJumps({ chainPrefix, bridge }: Pick<BuildRules, 'chainPrefix' | 'bridge'>): readonly Jump[] {
  const chain = buildChains(chainPrefix);
  return [
    { table: 'filter', words: ['INPUT', '-i', bridge, '-j', chain.input] },
    { table: 'filter', words: ['DOCKER-USER', '-j', chain.forward] },
  ];
}
