/** The `ip` program and what the kernel shows of interfaces and namespaces. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { run } from '../../../lib/exec.ts';
import { helperEnvironment } from '../settings.ts';

/** Runs `ip` with these words, and with lines of a batch where the words ask for one. Rejects with its own words. */
export async function ip(argv: readonly string[], batch: readonly string[] = []): Promise<void> {
  const input = batch.map((line) => `${line}\n`).join('');
  const result = await run(['ip', ...argv], { environment: helperEnvironment, timeoutMs: 20_000, input });
  if (result.code !== 0) throw new Error(`ip: ${result.stderr.trim()}`);
}

/** Whether the interface is there and was set up. */
export function isUp(name: string): boolean {
  try {
    return (Number(readFileSync(`/sys/class/net/${name}/flags`, 'latin1')) & 1) === 1;
  } catch {
    return false;
  }
}

/**
 * Sets the host's end of a network up as the firewall expects it. Without an address of its own, version 6 would still answer on the link,
 * past the rules of version 4. And what the rules lead to the host's loopback would be dropped as a stray.
 */
export function setHostEnd(name: string): void {
  writeFileSync(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, '1', { flag: 'r+' });
  writeFileSync(`/proc/sys/net/ipv4/conf/${name}/route_localnet`, '1', { flag: 'r+' });
}

export const namespacePath = (name: string): string => `/run/netns/${name}`;

/** Takes away interfaces of the host and namespaces, those of them that are there. */
export async function removeNetwork(interfaces: readonly string[], namespace: string): Promise<void> {
  for (const name of interfaces) if (existsSync(`/sys/class/net/${name}`)) await ip(['link', 'del', name]);
  if (existsSync(namespacePath(namespace))) await ip(['netns', 'del', namespace]);
}

/** Bytes that came in and went out at an interface of the host; null when it is gone. */
export function counters(name: string): { readonly receivedBytes: number; readonly sentBytes: number } | null {
  const read = (counter: string): number =>
    Number(readFileSync(`/sys/class/net/${name}/statistics/${counter}_bytes`, 'latin1'));
  try {
    return { receivedBytes: read('rx'), sentBytes: read('tx') };
  } catch {
    return null;
  }
}
