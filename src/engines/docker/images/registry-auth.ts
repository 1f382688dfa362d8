/** How the daemon is told what to sign in to a registry with. Pure. */
import type { RegistryCredentials } from '../../../core/ports/images.ts';
import { dockerHub } from '../../../core/registries/registry-host.ts';

/** The Hub's credentials go by an address of its first version. */
const addressOf = (host: string): string => (host === dockerHub ? 'https://index.docker.io/v1/' : host);

/** Headers of a call. Source: Docker Engine API, "Authentication": JSON in the URL-safe base64 with padding. */
export function registryAuth(host: string, credentials: RegistryCredentials | null): Record<string, string> {
  if (credentials === null) return {};
  const plain = {
    username: credentials.username,
    password: credentials.password.reveal(),
    serveraddress: addressOf(host),
  };
  return { 'X-Registry-Auth': urlSafe(JSON.stringify(plain)) };
}

/** Node's `base64url` leaves the padding out. */
const urlSafe = (text: string): string =>
  Buffer.from(text, 'utf8').toString('base64').replaceAll('+', '-').replaceAll('/', '_');
