/**
 * The /etc of sandboxes: names, certificates and the linker's files of the host, never its accounts or the settings of its services. The
 * part that all share is copied once when the agent starts, because every single bind costs a start its time.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../lib/exec.ts';
import { shownEtc } from '../common/shown-etc.ts';
import { helperEnvironment } from './settings.ts';

/** Bound as they are, so that a certificate added later is seen without a restart of the agent. */
const live = ['ssl', 'pki'];
/** Generated per unit. */
const own = ['passwd', 'group', 'hosts'] as const;
const loopback = /^nameserver\s+(127\.|::1)/m;

export interface EtcBinding {
  readonly host: string;
  readonly inside: string;
}

export class EtcFiles {
  readonly #base: string;
  readonly #live: readonly string[];
  constructor(base: string) {
    this.#base = base;
    this.#live = live.filter((name) => existsSync(`/etc/${name}`));
  }

  /** Makes the shared part, or brings it up to date in place: units of an earlier agent have it bound. Rejects when it cannot be copied. */
  async prepare(): Promise<void> {
    for (const name of ['private', 'shared']) this.#makeFolder(join(this.#base, name));
    const there = shownEtc.map((name) => `/etc/${name}`).filter(existsSync);
    if (there.length === 0) return;
    for (const name of ['private', 'shared']) {
      const argv = ['cp', '-a', '-u', '--', ...there, join(this.#base, name)];
      const result = await run(argv, { environment: helperEnvironment, timeoutMs: 60_000 });
      if (result.code !== 0) throw new Error(`the sandbox's /etc cannot be made: ${result.stderr.trim()}`);
    }
  }

  /**
   * Writes a unit's own files into `folder` and gives what to bind, in order.
   * `uid` is the user as seen inside; `ownNetwork` says whether the host's loopback is out of reach; `hosts` are addresses by name.
   */
  forUnit(
    folder: string,
    uid: number,
    hostname: string,
    ownNetwork: boolean,
    hosts: Readonly<Record<string, string>>,
  ): EtcBinding[] {
    const base = join(this.#base, ownNetwork ? 'private' : 'shared');
    const resolvers = join(base, 'resolv.conf');
    const wanted = resolverText(ownNetwork);
    // In place, so that running units see new resolvers too.
    if (readOr(resolvers) !== wanted) writeFileSync(resolvers, wanted, { mode: 0o644 });
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    const files = {
      passwd: `app:x:${uid}:${uid}:app:/app:/bin/sh\nroot:x:0:0:root:/root:/usr/sbin/nologin\n`,
      group: `app:x:${uid}:\nroot:x:0:\n`,
      hosts: [
        `127.0.0.1 localhost ${hostname}`,
        '::1 localhost ip6-localhost ip6-loopback',
        ...Object.entries(hosts).map(([name, address]) => `${address} ${name}`),
        '',
      ].join('\n'),
    };
    for (const name of own) writeFileSync(join(folder, name), files[name], { mode: 0o644 });
    return [
      { host: base, inside: '/etc' },
      ...this.#live.map((name) => ({ host: `/etc/${name}`, inside: `/etc/${name}` })),
      ...own.map((name) => ({ host: join(folder, name), inside: `/etc/${name}` })),
    ];
  }

  #makeFolder(folder: string): void {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    for (const name of this.#live) mkdirSync(join(folder, name), { recursive: true });
    for (const name of own) writeFileSync(join(folder, name), '', { flag: 'a' });
    const switches = 'passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n';
    writeFileSync(join(folder, 'nsswitch.conf'), switches, { mode: 0o644 });
  }
}

/**
 * The host's resolvers as an own network can reach them: a stub on the host's loopback is out of reach there, so the servers behind it
 * are taken instead (systemd-resolved lists them), or public ones.
 */
function resolverText(ownNetwork: boolean): string {
  const host = readOr('/etc/resolv.conf');
  if (!ownNetwork || (host.includes('nameserver') && !loopback.test(host))) return host;
  const upstream = readOr('/run/systemd/resolve/resolv.conf');
  if (upstream.includes('nameserver') && !loopback.test(upstream)) return upstream;
  return 'nameserver 1.1.1.1\nnameserver 8.8.8.8\n';
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
