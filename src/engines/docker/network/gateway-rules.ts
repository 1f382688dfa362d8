/**
 * The firewall inside a space's gateway, as text for `iptables-restore`: the node comes in to the space, and the targets of links lead to
 * one of their backends by chance, each as likely. A target without a backend has nobody listening, so it refuses. Pure.
 */
import type { LinkRoute } from '../../../core/ports/engine.ts';

export interface PlacedRoute extends Pick<LinkRoute, 'port' | 'backends'> {
  /** The lasting address of the target. */
  readonly address: string;
}

/** `subnet` of the space; `node` is the node's address as the gateway sees it. */
export function gatewayRules(subnet: string, node: string, routes: readonly PlacedRoute[]): string {
  return [
    '*filter',
    ':INPUT ACCEPT [0:0]',
    ':FORWARD DROP [0:0]',
    ':OUTPUT ACCEPT [0:0]',
    '-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT',
    `-A FORWARD -s ${node} -d ${subnet} -j ACCEPT`,
    `-A FORWARD -s ${subnet} -d ${subnet} -m conntrack --ctstate DNAT -j ACCEPT`,
    'COMMIT',
    '*nat',
    ':PREROUTING ACCEPT [0:0]',
    ':INPUT ACCEPT [0:0]',
    ':OUTPUT ACCEPT [0:0]',
    ':POSTROUTING ACCEPT [0:0]',
    ...routes.flatMap((route) => routeRules(subnet, route)),
    // Answers come back the same way, also from a backend that asked itself.
    `-A POSTROUTING -d ${subnet} -j MASQUERADE`,
    'COMMIT',
    '',
  ].join('\n');
}

/** Each backend takes its share of what those before it left. */
function routeRules(subnet: string, { address, port, backends }: PlacedRoute): string[] {
  return backends.map((backend, index) => {
    const left = backends.length - index;
    const chance = left === 1 ? '' : `-m statistic --mode random --probability ${(1 / left).toFixed(10)} `;
    const to = `-j DNAT --to-destination ${backend.host}:${backend.port}`;
    return `-A PREROUTING -s ${subnet} -d ${address} -p tcp --dport ${port} ${chance}${to}`;
  });
}
