/**
 * One network namespace per space, made when the first unit of a space starts and taken away a while after the last one ended. What is
 * there is kept in a file, so that a restarted agent finds it again.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { run } from '../../lib/exec.ts';
import { lowerFirewall, raiseFirewall } from './firewall.ts';
import { helperEnvironment } from './settings.ts';
import { addressesOf, chooseBlock, type Range, routedRanges, spacesPerInstall, toAddress } from './subnets.ts';

export interface SpaceNetwork {
  /** Name under /run/netns. */
  readonly namespace: string;
  /** Reached from the host and by the space's instances among themselves. */
  readonly address: string;
  /** The host as the space sees it. */
  readonly gateway: string;
}

interface Kept {
  readonly block: Range;
  readonly spaces: Record<string, number>;
}

const anyPrefix = 'bth';

export class SpaceNetworks {
  readonly #path: string;
  readonly #prefix: string;
  readonly #allowHostPorts: readonly number[];
  #kept: Kept;
  #firewall: Promise<void> | null = null;
  readonly #ready = new Map<string, SpaceNetwork>();
  #last: Promise<unknown> = Promise.resolve();

  /** `path` of the JSON file; interfaces are named after `installId` (15 characters are all that the kernel allows). */
  constructor(path: string, installId: string, allowHostPorts: readonly number[]) {
    this.#path = path;
    this.#prefix = `${anyPrefix}${installId.slice(0, 6)}`;
    this.#allowHostPorts = allowHostPorts;
    this.#kept = existsSync(path)
      ? (JSON.parse(readFileSync(path, 'utf8')) as Kept)
      : {
          block: chooseBlock(
            installId,
            routedRanges(() => false),
          ),
          spaces: {},
        };
  }

  /** Makes the space's network, or finds it. The caller counts the space as in use before it asks. */
  async ensure(spaceId: string): Promise<SpaceNetwork> {
    const known = this.#ready.get(spaceId);
    if (known !== undefined) return known;
    return this.#alone(async () => {
      const network = this.#ready.get(spaceId) ?? (await this.#make(spaceId));
      this.#ready.set(spaceId, network);
      return network;
    });
  }

  /** Removes the networks of spaces for which `inUse` says no. */
  async prune(inUse: (spaceId: string) => boolean): Promise<void> {
    for (const spaceId of Object.keys(this.#kept.spaces)) {
      await this.#alone(async () => {
        const index = this.#kept.spaces[spaceId];
        if (index === undefined || inUse(spaceId)) return;
        this.#ready.delete(spaceId);
        await this.#delete(index);
        const { [spaceId]: _gone, ...spaces } = this.#kept.spaces;
        this.#save({ ...this.#kept, spaces });
      });
    }
  }

  /** Removes every network and the firewall's chains. */
  async close(): Promise<void> {
    await this.prune(() => false);
    await lowerFirewall(this.#prefix);
    this.#firewall = null;
  }

  /** One change at a time: making and removing the same network must not meet. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }

  #name(index: number): string {
    return `${this.#prefix}n${index}`;
  }

  async #make(spaceId: string): Promise<SpaceNetwork> {
    this.#firewall ??= this.#raise();
    await this.#firewall.catch((error: unknown) => {
      this.#firewall = null;
      throw error;
    });
    const index = this.#kept.spaces[spaceId] ?? this.#freeIndex();
    if (this.#kept.spaces[spaceId] === undefined) {
      this.#save({ ...this.#kept, spaces: { ...this.#kept.spaces, [spaceId]: index } });
    }
    const name = this.#name(index);
    const { gateway, address } = addressesOf(this.#kept.block, index);
    // The host's end is set up last, so while it is down the rest may be half made.
    if (!existsSync(`/run/netns/${name}`) || !isUp(name)) {
      await this.#delete(index);
      await ip(
        ['-batch', '-'],
        [
          `netns add ${name}`,
          `link add ${name} type veth peer name eth0 netns ${name}`,
          `addr add ${gateway}/30 dev ${name}`,
        ],
      );
      // Without an address of its own, version 6 would still answer on the link, past the firewall of version 4.
      writeFileSync(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, '1', { flag: 'r+' });
      await ip(
        ['-n', name, '-batch', '-'],
        [
          'link set lo up',
          `addr add ${address}/30 dev eth0`,
          'link set eth0 up',
          `route add default via ${gateway} dev eth0`,
        ],
      );
      await ip(['link', 'set', name, 'up'], []);
    }
    return { namespace: name, gateway, address };
  }

  #freeIndex(): number {
    const used = new Set(Object.values(this.#kept.spaces));
    for (let index = 0; index < spacesPerInstall; index++) if (!used.has(index)) return index;
    throw new Error('no network is left for another space');
  }

  async #raise(): Promise<void> {
    const { base, size } = this.#kept.block;
    const block = `${toAddress(base)}/${32 - Math.log2(size)}`;
    const plan = { prefix: this.#prefix, anyPrefix, block, allowHostPorts: this.#allowHostPorts };
    await raiseFirewall(plan);
    if (readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8').trim() !== '1') {
      writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
    }
  }

  async #delete(index: number): Promise<void> {
    const name = this.#name(index);
    const words = (argv: readonly string[]) =>
      run(['ip', ...argv], { environment: helperEnvironment, timeoutMs: 20_000 });
    if (existsSync(`/sys/class/net/${name}`)) await words(['link', 'del', name]);
    if (existsSync(`/run/netns/${name}`)) await words(['netns', 'del', name]);
  }

  #save(kept: Kept): void {
    writeFileSync(`${this.#path}.new`, JSON.stringify(kept), { mode: 0o600 });
    renameSync(`${this.#path}.new`, this.#path);
    this.#kept = kept;
  }
}

async function ip(argv: readonly string[], batch: readonly string[]): Promise<void> {
  const input = batch.map((line) => `${line}\n`).join('');
  const result = await run(['ip', ...argv], { environment: helperEnvironment, timeoutMs: 20_000, input });
  if (result.code !== 0) throw new Error(`ip: ${result.stderr.trim()}`);
}

/** Whether the interface is there and was set up. */
function isUp(name: string): boolean {
  try {
    return (Number(readFileSync(`/sys/class/net/${name}/flags`, 'latin1')) & 1) === 1;
  } catch {
    return false;
  }
}
