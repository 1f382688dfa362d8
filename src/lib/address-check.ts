/**
 * For a host that another program will dial on a user's word: whether it may. That program resolves the name itself once more, so a name
 * that changes in between is not caught; where the request can be made here, `dialer.ts` is the way.
 */
import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { DialError, refusedAddress, resolveByMachine } from './dialer.ts';
import { type AddressPolicy, createAddressRules } from './dialer-address.ts';

export interface AddressCheckOptions extends AddressPolicy {
  /** Resolves a name to all its addresses; the machine's resolver unless said otherwise. */
  readonly resolve?: (host: string) => Promise<readonly LookupAddress[]>;
}

/** Resolves when every address of the host may be reached; rejects with DialError `refused-address` or `dns`. */
export function createAddressCheck(options: AddressCheckOptions): (host: string) => Promise<void> {
  const rules = createAddressRules(options);
  const resolve = options.resolve ?? resolveByMachine;
  return async (host) => {
    const addresses = isIP(host) === 0 ? await resolved(host, resolve) : [host];
    if (!addresses.every((address) => rules.isAllowed(host, address))) throw refusedAddress(host);
  };
}

async function resolved(host: string, resolve: NonNullable<AddressCheckOptions['resolve']>): Promise<string[]> {
  const found = await resolve(host).catch((error: unknown) => {
    throw new DialError('dns', `${host} cannot be resolved`, error);
  });
  if (found.length === 0) throw new DialError('dns', `${host} has no address`);
  return found.map(({ address }) => address);
}
