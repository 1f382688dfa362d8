/** What the helper of a node does to put firewall rules in force there, and to take them away. */
import { dockerBridge } from '../../common/instance-interfaces.ts';

/** Arguments: the rules, whether the loopback is to be reached, then one jump a word: `table words…`. */
export const raiseScript = `
printf '%s' "$1" | iptables-restore --noflush
if [ "$2" = yes ]; then echo 1 > /proc/sys/net/ipv4/conf/${dockerBridge}/route_localnet; fi
shift 2
for jump in "$@"; do
  table=\${jump%% *} words=\${jump#* } chain=\${words%% *}
  iptables -w 10 -t "$table" -C $words 2>/dev/null || iptables -w 10 -t "$table" -I $words
done
`;
/** Arguments: first the jumps, then \`--\`, then chains as \`table name\`. What is gone already is no error. */
export const lowerScript = `
while [ "$1" != -- ]; do iptables -w 10 -t "\${1%% *}" -D \${1#* } 2>/dev/null || true; shift; done; shift
for chain in "$@"; do
  iptables -w 10 -t "\${chain%% *}" -F "\${chain#* }" 2>/dev/null || true
  iptables -w 10 -t "\${chain%% *}" -X "\${chain#* }" 2>/dev/null || true
done
`;
