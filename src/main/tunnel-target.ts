/** Where a tunnel of the SSH door leads: to the add-ons of the actor's apps, by the address that the server itself reaches them at. */
import { lookup } from 'node:dns/promises';
import { POSTGRES_PROVIDER } from '../addons/postgres/postgres-provider.ts';
import type { Actor } from '../core/access/actor.ts';
import type { Core } from '../core/core.ts';
import { unavailable } from '../core/errors.ts';
import type { TunnelTarget } from '../git/ssh/door.ts';
import { createAddressRules } from '../lib/dialer-address.ts';
import { HOST_NAME } from './addon-settings.ts';

/**
 * What the platform's own provider names is taken as it is; instances call the machine by a name that only they know. What a provider outside
 * names may lie anywhere, so it is held to the rules for addresses that users give: never to this machine or its neighbours.
 */
export function tunnelTargetOf(
  { tunnels }: Pick<Core, 'tunnels'>,
  allowPrivate: boolean,
): (actor: Actor, host: string, port: number) => Promise<TunnelTarget | null> {
  const rules = createAddressRules({ allowPrivate, allow: [] });
  return async (actor, host, port) => {
    const end = await tunnels.find(actor, host, port);
    if (end === null) return null;
    if (end.provider === POSTGRES_PROVIDER) return { host: host === HOST_NAME ? '127.0.0.1' : host, port };
    const { address } = await lookup(host).catch((error: unknown) => {
      throw unavailable('the host of the add-on is not known', error);
    });
    return rules.isAllowed(host, address) ? { host: address, port } : null;
  };
}
