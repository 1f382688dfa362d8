/** Where a Docker daemon listens: a unix socket, or TCP with mutual TLS. */
import { invalid } from '../../../core/errors.ts';

export interface TlsMaterial {
  /** PEM texts. */
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

export type Endpoint =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly tls: TlsMaterial };

/**
 * Reads `unix:///path`, or `tcp://host:port` for which `tls` is needed: whoever reaches a daemon's port without it owns the machine. Throws
 * invalid `dockerHost` for anything else, and
 * invalid `dockerTls` where that is no PEM.
 */
export function endpointOf(text: string, tls: TlsMaterial | null): Endpoint {
  const path = /^unix:\/\/(\/.+)$/.exec(text)?.[1];
  if (path !== undefined) return { kind: 'unix', path };
  const [, host, port] = /^(?:tcp|https):\/\/([A-Za-z0-9.-]+):(\d{1,5})\/?$/.exec(text) ?? [];
  if (host === undefined || port === undefined) {
    throw invalid('dockerHost', `a Docker host is unix:///path/to/docker.sock or tcp://host:port, not ${text}`);
  }
  if (tls === null)
    throw invalid(
      'dockerHost',
      `${text} needs TLS: a CA, a client certificate and its key (BERTH_DOCKER_TLS, or given with the node)`,
    );
  for (const name of ['ca', 'certificate', 'key'] as const) {
    if (!tls[name].includes('-----BEGIN '))
      throw invalid(
        'dockerTls',
        `the TLS ${name} for ${text} is no PEM text (BERTH_DOCKER_TLS, or given with the node)`,
      );
  }
  return { kind: 'tcp', host, port: Number(port), tls };
}
