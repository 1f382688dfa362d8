/** The few files of /etc that a sandbox gets of its own: no accounts, host names or resolvers of the host leak in beyond need. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface EtcInput {
  /** As seen inside. */
  readonly uid: number;
  readonly hostname: string;
  readonly resolvConf: string;
}

const loopback = /^nameserver\s+(127\.|::1)/m;

/**
 * The host's resolvers as an own network can reach them: a stub on the host's loopback is out of reach there, so the servers behind it
 * are taken instead (systemd-resolved lists them), or public ones.
 */
export function resolverText(ownNetwork: boolean): string {
  const read = (path: string): string | null => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return null;
    }
  };
  const host = read('/etc/resolv.conf') ?? '';
  if (!ownNetwork || (host.includes('nameserver') && !loopback.test(host))) return host;
  const upstream = read('/run/systemd/resolve/resolv.conf');
  if (upstream?.includes('nameserver') && !loopback.test(upstream)) return upstream;
  return 'nameserver 1.1.1.1\nnameserver 8.8.8.8\n';
}

/** Writes the files into `folder` (made, world-readable). */
export function writeEtc(folder: string, input: EtcInput): void {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const id = input.uid;
  const files: Record<string, string> = {
    passwd: `app:x:${id}:${id}:app:/app:/bin/sh\nroot:x:0:0:root:/root:/usr/sbin/nologin\n`,
    group: `app:x:${id}:\nroot:x:0:\n`,
    hosts: `127.0.0.1 localhost ${input.hostname}\n::1 localhost ip6-localhost ip6-loopback\n`,
    'resolv.conf': input.resolvConf,
    'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o644 });
}
