/**
 * Where the targets of links are reached: an address of the space for each, given out once and true for as long as an instance knows it.
 * Instances carry the addresses that they were told in their labels, so that the next engine gives out no other.
 */
import { isIPv4 } from 'node:net';
import type { LinkTable } from '../../common/link-table.ts';
import type { PlacedRoute } from './gateway-rules.ts';
import { freePlace, type Subnet } from './subnets.ts';

export class LinkPlaces {
  readonly #table: LinkTable;
  /** Addresses by target, for each space. */
  readonly #spaces = new Map<string, Map<string, string>>();

  constructor(table: LinkTable) {
    this.#table = table;
  }

  /** An instance that is there was told this. */
  remember(spaceId: string, places: Readonly<Record<string, string>>): void {
    // It comes from a label, and goes into rules of every node.
    for (const [target, address] of Object.entries(places)) if (isIPv4(address)) this.#of(spaceId).set(target, address);
  }

  /** The address of a target, and whether it is new. Throws when the space has none left. */
  place(spaceId: string, target: string, subnet: Subnet): { readonly address: string; readonly isNew: boolean } {
    const places = this.#of(spaceId);
    const known = places.get(target);
    if (known !== undefined) return { address: known, isNew: false };
    const address = freePlace(subnet, new Set(places.values()));
    if (address === null) throw new Error('the space has too many processes that others link to');
    places.set(target, address);
    return { address, isNew: true };
  }

  /** Spaces in which some target has a place. */
  spaces(): readonly string[] {
    return [...this.#spaces].flatMap(([spaceId, places]) => (places.size === 0 ? [] : [spaceId]));
  }

  addressesOf(spaceId: string): readonly string[] {
    return [...this.#of(spaceId).values()];
  }

  routesOf(spaceId: string): readonly PlacedRoute[] {
    return this.#table.routes.flatMap((route) => {
      const address = route.spaceId === spaceId ? this.#of(spaceId).get(route.target) : undefined;
      return address === undefined ? [] : [{ address, port: route.port, backends: route.backends }];
    });
  }

  /** Forgets targets that no route names and no instance was told of. */
  prune(inUse: (spaceId: string, target: string) => boolean): void {
    for (const [spaceId, places] of this.#spaces) {
      for (const target of places.keys()) {
        if (!this.#table.has(spaceId, target) && !inUse(spaceId, target)) places.delete(target);
      }
      if (places.size === 0) this.#spaces.delete(spaceId);
    }
  }

  #of(spaceId: string): Map<string, string> {
    const known = this.#spaces.get(spaceId) ?? new Map<string, string>();
    this.#spaces.set(spaceId, known);
    return known;
  }
}
