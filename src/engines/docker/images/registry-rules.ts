/** Which registries may be asked, and as whom. */

import { ImageUnavailable, type RegistryCredentials } from '../../../core/ports/images.ts';
import { dockerHub } from '../../../core/registries/registry-host.ts';
import { createAddressCheck } from '../../../lib/address-check.ts';
import { DialError } from '../../../lib/dialer.ts';

/** A registry into which the platform puts images of its own. */
export interface OwnRegistry {
  readonly host: string;
  /** Before each name, without slashes around it; '' for none. */
  readonly prefix: string;
  readonly credentials: RegistryCredentials | null;
}

/** What an image of the platform is called there; a daemon leaves the Docker Hub's own name out. */
export const ownRepository = ({ host, prefix }: Pick<OwnRegistry, 'host' | 'prefix'>, name: string): string =>
  [host === dockerHub ? '' : host, prefix, name].filter((part) => part !== '').join('/');

export interface RegistryRules {
  /** Registries (`host[:port]`) that may be anywhere. */
  readonly allow: readonly string[];
  /** Whether the others may be at loopback and private addresses. */
  readonly allowPrivate: boolean;
  /** What an image of an app may be pulled with, in the order to be tried; none: as nobody. */
  readonly credentials: (appId: string, artifactDigest: string) => Promise<readonly RegistryCredentials[]>;
  /** Null: the platform's own images are handed from node to node. */
  readonly own: OwnRegistry | null;
}

/** Images of public registries, as nobody. */
export const publicOnly: RegistryRules = {
  allow: [],
  allowPrivate: false,
  credentials: async () => [],
  own: null,
};

/**
 * Resolves when the daemon may be sent to this registry; rejects with ImageUnavailable. The daemon's request is one that a user chose the
 * address of, made from within the platform's network.
 */
export async function admitRegistry(rules: RegistryRules, host: string): Promise<void> {
  // The platform's own has images of every team, by names alone: it is in nobody's reach unless it is named as the others.
  if (host === dockerHub || rules.allow.includes(host)) return;
  try {
    await createAddressCheck({ allowPrivate: rules.allowPrivate, allow: [] })(host.replace(/:\d+$/, ''));
  } catch (error) {
    if (!(error instanceof DialError)) throw error;
    if (error.code === 'dns')
      throw new ImageUnavailable('unreachable', `the registry ${host} has no address: check the name of the image`);
    throw new ImageUnavailable(
      'refused',
      `the registry ${host} is at a loopback or private address: images come from there only when the operator names it in BERTH_DOCKER_REGISTRIES`,
    );
  }
}
