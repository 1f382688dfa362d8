/** Keeps the rules around an install's networks in force: one set of chains of its own, entered from the kernel's. */
import { readFileSync, writeFileSync } from 'node:fs';
import { run } from '../../../lib/exec.ts';
import { helperEnvironment } from '../settings.ts';
import { chainNames, type FirewallPlan, firewallRules } from './firewall-rules.ts';

const forwarding = '/proc/sys/net/ipv4/ip_forward';

export class Firewall {
  readonly #prefix: string;
  readonly #plan: () => FirewallPlan;
  #raised: Promise<void> | null = null;
  #applying: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  /** `plan` says what is to hold at the moment of asking. */
  constructor(prefix: string, plan: () => FirewallPlan) {
    this.#prefix = prefix;
    this.#plan = plan;
  }

  /** Puts the rules in force if this agent has not yet. Rejects when the kernel refuses them; then the next call tries again. */
  raise(): Promise<void> {
    this.#raised ??= this.#raise().catch((error: unknown) => {
      this.#raised = null;
      throw error;
    });
    return this.#raised;
  }

  /** Brings the rules up to the plan of now. Callers that come while that happens share one further round. */
  async apply(): Promise<void> {
    const isFirst = this.#raised === null;
    await this.raise();
    if (isFirst) return;
    if (this.#applying === null) {
      this.#applying = this.#restore().finally(() => {
        this.#applying = null;
      });
      return this.#applying;
    }
    const before = this.#applying;
    this.#next ??= before
      .catch(() => {})
      .then(() => {
        this.#next = null;
        return this.apply();
      });
    return this.#next;
  }

  /** Takes the rules away; what is gone already is no error. */
  async lower(): Promise<void> {
    const chain = chainNames(this.#prefix);
    for (const jump of jumps(this.#prefix)) await iptables(onTable(jump, '-D'));
    for (const name of [chain.input, chain.forward, chain.inner]) await drop('filter', name);
    for (const name of [chain.translate, chain.links]) await drop('nat', name);
    this.#raised = null;
  }

  async #raise(): Promise<void> {
    await this.#restore();
    await Promise.all(
      jumps(this.#prefix).map(async (jump) => {
        if (!(await iptables(onTable(jump, '-C'))) && !(await iptables(onTable(jump, '-I')))) {
          throw new Error(`the firewall cannot be entered at ${jump.at}`);
        }
      }),
    );
    if (readFileSync(forwarding, 'utf8').trim() !== '1') writeFileSync(forwarding, '1');
  }

  async #restore(): Promise<void> {
    const result = await run(['iptables-restore', '--noflush', '-w', '10'], {
      environment: helperEnvironment,
      timeoutMs: 20_000,
      input: firewallRules(this.#plan()),
    });
    if (result.code !== 0) throw new Error(`iptables-restore: ${result.stderr.trim()}`);
  }
}

interface Jump {
  readonly table: 'filter' | 'nat';
  readonly at: string;
  readonly words: readonly string[];
}

/** Where the chains are entered: checked, and inserted when missing (another program may have flushed the table). */
function jumps(prefix: string): Jump[] {
  const chain = chainNames(prefix);
  // The letter after the prefix says which kind of network it is; see names.ts.
  const ours = [`${prefix}n+`, `${prefix}s+`];
  return [
    ...ours.flatMap((name): Jump[] => [
      { table: 'filter', at: 'INPUT', words: ['-i', name, '-j', chain.input] },
      { table: 'filter', at: 'FORWARD', words: ['-i', name, '-j', chain.forward] },
      { table: 'filter', at: 'FORWARD', words: ['-o', name, '-j', chain.forward] },
      { table: 'nat', at: 'PREROUTING', words: ['-i', name, '-j', chain.links] },
    ]),
    { table: 'nat', at: 'POSTROUTING', words: ['-j', chain.translate] },
  ];
}

const onTable = ({ table, at, words }: Jump, verb: '-C' | '-I' | '-D'): string[] => ['-t', table, verb, at, ...words];

async function drop(table: string, chain: string): Promise<void> {
  await iptables(['-t', table, '-F', chain]);
  await iptables(['-t', table, '-X', chain]);
}

async function iptables(argv: readonly string[]): Promise<boolean> {
  const result = await run(['iptables', '-w', '10', ...argv], { environment: helperEnvironment, timeoutMs: 20_000 });
  return result.code === 0;
}
