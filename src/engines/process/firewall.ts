/**
 * The firewall around the networks of spaces, one set of chains per install. From a space: out to the world, yes; to the host itself
 * only what answers or is on the allow list; to another space or the cloud's metadata address, no.
 */
import { run } from '../../lib/exec.ts';
import { helperEnvironment } from './settings.ts';

export interface FirewallPlan {
  /** Interfaces of this install begin with it. */
  readonly prefix: string;
  /** Interfaces of every install begin with it. */
  readonly anyPrefix: string;
  readonly block: string;
  readonly allowHostPorts: readonly number[];
}

const chainNames = (prefix: string): { readonly input: string; readonly forward: string; readonly nat: string } => ({
  input: `${prefix}-in`,
  forward: `${prefix}-fwd`,
  nat: `${prefix}-nat`,
});

/** The rules in the order in which the kernel reads them: text for `iptables-restore --noflush`. */
export function firewallRules(plan: FirewallPlan): string {
  const chain = chainNames(plan.prefix);
  const answers = '-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT';
  const allowed = plan.allowHostPorts.map(
    (port) => `-A ${chain.input} -d ${plan.block} -p tcp --dport ${port} -j ACCEPT`,
  );
  return [
    '*filter',
    `:${chain.input} - [0:0]`,
    `:${chain.forward} - [0:0]`,
    `-A ${chain.input} ${answers}`,
    ...allowed,
    `-A ${chain.input} -j DROP`,
    `-A ${chain.forward} ${answers}`,
    `-A ${chain.forward} -o ${plan.anyPrefix}+ -j DROP`,
    `-A ${chain.forward} -d 169.254.0.0/16 -j DROP`,
    `-A ${chain.forward} -i ${plan.prefix}n+ -j ACCEPT`,
    `-A ${chain.forward} -j DROP`,
    'COMMIT',
    '*nat',
    `:${chain.nat} - [0:0]`,
    `-A ${chain.nat} -s ${plan.block} ! -o ${plan.anyPrefix}+ -j MASQUERADE`,
    'COMMIT',
    '',
  ].join('\n');
}

/** Where the chains are entered: checked, and inserted when missing (another program may have flushed the table). */
function jumps(prefix: string): string[][] {
  const chain = chainNames(prefix);
  return [
    ['INPUT', '-i', `${prefix}n+`, '-j', chain.input],
    ['FORWARD', '-i', `${prefix}n+`, '-j', chain.forward],
    ['FORWARD', '-o', `${prefix}n+`, '-j', chain.forward],
  ];
}
const natJump = (prefix: string): string[] => ['POSTROUTING', '-j', chainNames(prefix).nat];

async function iptables(argv: readonly string[]): Promise<boolean> {
  const result = await run(['iptables', '-w', '10', ...argv], { environment: helperEnvironment, timeoutMs: 20_000 });
  return result.code === 0;
}

/** Puts the rules in force; may be said again. Rejects when the kernel refuses them. */
export async function raiseFirewall(plan: FirewallPlan): Promise<void> {
  const chain = chainNames(plan.prefix);
  // Naming a chain in the restore text empties it, so saying it again gives the same rules once.
  const result = await run(['iptables-restore', '--noflush', '-w', '10'], {
    environment: helperEnvironment,
    timeoutMs: 20_000,
    input: firewallRules(plan),
  });
  if (result.code !== 0) throw new Error(`iptables-restore: ${result.stderr.trim()}`);
  for (const jump of jumps(plan.prefix)) {
    if (!(await iptables(['-C', ...jump])) && !(await iptables(['-I', ...jump]))) {
      throw new Error(`the firewall cannot be entered at ${jump[0]} (${chain.input})`);
    }
  }
  const nat = natJump(plan.prefix);
  if (!(await iptables(['-t', 'nat', '-C', ...nat])) && !(await iptables(['-t', 'nat', '-I', ...nat]))) {
    throw new Error('addresses of spaces cannot be translated');
  }
}

/** Takes the rules away; what is gone already is no error. */
export async function lowerFirewall(prefix: string): Promise<void> {
  const chain = chainNames(prefix);
  for (const jump of jumps(prefix)) await iptables(['-D', ...jump]);
  for (const name of [chain.input, chain.forward]) {
    await iptables(['-F', name]);
    await iptables(['-X', name]);
  }
  await iptables(['-t', 'nat', '-D', ...natJump(prefix)]);
  await iptables(['-t', 'nat', '-F', chain.nat]);
  await iptables(['-t', 'nat', '-X', chain.nat]);
}
