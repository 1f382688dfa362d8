/**
 * A bridge with machines on it, each a network namespace: they reach each other, this machine and, through it, the world. Nothing here is
 * shared with another test's, and `close` takes all of it away.
 */
import { randomBytes } from 'node:crypto';
import { claimBlock } from './address-block.ts';
import { attempt, command } from './system-command.ts';

export interface MachineNetwork {
  /** In CIDR form; `hostAddress` is this machine's own in it. */
  readonly block: string;
  readonly hostAddress: string;
  /** The interface of this machine through which all of them are reached. */
  readonly bridge: string;
  /** Of the machine with that number, from 1 on. */
  address(number: number): string;
  /** The name of its namespace. */
  namespace(number: number): string;
  plug(number: number): Promise<void>;
  /** Its namespace and its end of the wire are gone. Nothing to do when they are. */
  unplug(number: number): Promise<void>;
  setWire(number: number, state: 'up' | 'down'): Promise<void>;
  close(): Promise<void>;
}

/**
 * The same each time, as those of real machines are: others remember where to send for up to a minute, and a bridge without an address of its own
 * takes the lowest of what is plugged in.
 */
const hardwareAddress = (side: number, number: number): string =>
  `02:be:00:00:0${side}:${number.toString(16).padStart(2, '0')}`;

const firewall = ['iptables', '-w', '30'];

/** What the names of a process's networks begin with; they are names of interfaces, so 15 characters at most. */
export const networkNamesOf = (pid: number): string => `bs${pid.toString(36).padStart(5, '0')}`;

export async function createMachineNetwork(): Promise<MachineNetwork> {
  const name = `${networkNamesOf(process.pid)}${randomBytes(2).toString('hex')}`;
  const claimed = await claimBlock(208, 240, 24);
  const { text: block, prefix } = claimed;
  const hostAddress = `${prefix}.254`;
  const rules = [
    { table: 'filter', chain: 'FORWARD', words: ['-i', name, '-j', 'ACCEPT'] },
    { table: 'filter', chain: 'FORWARD', words: ['-o', name, '-j', 'ACCEPT'] },
    { table: 'nat', chain: 'POSTROUTING', words: ['-s', block, '!', '-d', block, '-j', 'MASQUERADE'] },
  ];
  const namespace = (number: number): string => `${name}n${number}`;
  const unplug = async (number: number): Promise<void> => {
    await attempt('ip', 'link', 'delete', namespace(number));
    await attempt('ip', 'netns', 'delete', namespace(number));
  };
  const plugged = new Set<number>();
  const close = async (): Promise<void> => {
    for (const number of plugged) await unplug(number);
    for (const { table, chain, words } of rules) await attempt(...firewall, '-t', table, '-D', chain, ...words);
    await attempt('ip', 'link', 'delete', name);
    await claimed.release();
  };
  try {
    await command('ip', 'link', 'add', name, 'address', hardwareAddress(0, 0), 'type', 'bridge');
    await command('ip', 'address', 'add', `${hostAddress}/24`, 'dev', name);
    await command('ip', 'link', 'set', name, 'up');
    await command('sysctl', '-qw', 'net.ipv4.ip_forward=1');
    for (const { table, chain, words } of rules) await command(...firewall, '-t', table, '-I', chain, ...words);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    block,
    hostAddress,
    bridge: name,
    namespace,
    address: (number) => `${prefix}.${number}`,
    async plug(number) {
      plugged.add(number);
      const machine = namespace(number);
      const own = ['ip', '-n', machine];
      await command('ip', 'netns', 'add', machine);
      const [outside, inside] = [hardwareAddress(1, number), hardwareAddress(2, number)];
      const peer = ['peer', 'name', 'eth0', 'address', inside, 'netns', machine];
      await command('ip', 'link', 'add', machine, 'address', outside, 'type', 'veth', ...peer);
      await command('ip', 'link', 'set', machine, 'master', name, 'up');
      await command(...own, 'address', 'add', `${prefix}.${number}/24`, 'dev', 'eth0');
      await command(...own, 'link', 'set', 'lo', 'up');
      await command(...own, 'link', 'set', 'eth0', 'up');
      await command(...own, 'route', 'add', 'default', 'via', hostAddress);
      await command('nsenter', `--net=/run/netns/${machine}`, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    },
    unplug,
    setWire: async (number, state) => void (await command('ip', 'link', 'set', namespace(number), state)),
    close,
  };
}
