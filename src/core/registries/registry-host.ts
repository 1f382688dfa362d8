/** Names of registries as people write them. Pure. */
import { invalid } from '../errors.ts';

export const dockerHub = 'docker.io';

const maxLength = 253;
const form =
  /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*(?::[1-9][0-9]{0,4})?$/;
/** Names that lead to the Docker Hub as well. */
const hubNames = new Set([dockerHub, 'index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com']);

/** `host` or `host:port`, in lower case; every name of the Docker Hub is `docker.io`. Throws invalid `host`. */
export function registryHost(text: string): string {
  const host = text.trim().toLowerCase();
  if (host === '') throw invalid('host', 'the registry needs a host', 'missing');
  const port = /:(\d+)$/.exec(host)?.[1];
  if (host.length > maxLength || !form.test(host) || Number(port ?? 1) > 65_535)
    throw invalid('host', 'a registry is named by its host, or host:port, without https:// or a path', 'malformed');
  return hubNames.has(host) ? dockerHub : host;
}
