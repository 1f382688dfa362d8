/** Certificates for mutual TLS between Docker daemons and their clients, by openssl. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command } from './system-command.ts';

export interface TlsIdentity {
  /** Holds ca.pem, cert.pem and key.pem. */
  readonly folder: string;
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

export interface TlsAuthority {
  /** For servers and clients alike; `addresses` are IPv4 addresses that a server has. */
  issue(name: string, addresses?: readonly string[]): Promise<TlsIdentity>;
}

const keyWords = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];

/** An authority of its own in `folder`, which is made; what it issues lies in folders below. */
export async function createTlsAuthority(folder: string): Promise<TlsAuthority> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const [authority, authorityKey] = [join(folder, 'ca.pem'), join(folder, 'ca-key.pem')];
  await command(
    ...['openssl', 'req', '-x509', ...keyWords, '-subj', '/CN=test authority'],
    ...['-keyout', authorityKey, '-out', authority],
  );
  const ca = readFileSync(authority, 'utf8');
  return {
    issue: async (name, addresses = []) => {
      const own = join(folder, name);
      mkdirSync(own, { mode: 0o700 });
      const [certificate, key] = [join(own, 'cert.pem'), join(own, 'key.pem')];
      const names = [`DNS:${name}`, ...addresses.map((address) => `IP:${address}`)].join(',');
      await command(
        ...['openssl', 'req', '-x509', ...keyWords, '-subj', `/CN=${name}`, '-CA', authority, '-CAkey', authorityKey],
        ...['-addext', `subjectAltName=${names}`, '-addext', 'extendedKeyUsage=serverAuth,clientAuth'],
        ...['-addext', 'basicConstraints=critical,CA:FALSE', '-keyout', key, '-out', certificate],
      );
      writeFileSync(join(own, 'ca.pem'), ca);
      return { folder: own, ca, certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
    },
  };
}
