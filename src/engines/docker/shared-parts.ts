/** What all nodes of an install have in common: names, what is remembered, the spaces' networks, and where links lead. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { LinkTable } from '../common/link-table.ts';
import type { DockerApi } from './api/docker-api.ts';
import { Names } from './names.ts';
import { LinkPlaces } from './network/link-places.ts';
import { SpaceNetworks } from './network/space-networks.ts';
import { parseSubnet } from './network/subnets.ts';
import { Notes } from './notes.ts';
import { type DockerEngineOptions, defaultAddressPool } from './settings.ts';

export type SharedParts = ReturnType<typeof assembleShared>;

/** `managers`: the Swarm's control plane, at whichever of its managers answers. */
export function assembleShared(options: DockerEngineOptions, managers: Pick<DockerApi, 'call'>) {
  const { stateFolder, installId } = options;
  mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
  const names = new Names(installId);
  const addressPool = options.addressPool ?? defaultAddressPool;
  const table = new LinkTable(join(stateFolder, 'links.json'));
  return {
    options,
    managers,
    names,
    addressPool,
    table,
    places: new LinkPlaces(table),
    notes: new Notes(join(stateFolder, 'instances')),
    networks: new SpaceNetworks({ managers, names, pool: parseSubnet(addressPool) }),
  };
}
