/** Puts the fleet together: the home node, what all nodes share, and who looks after them. */
import { isIPv4 } from 'node:net';
import { join } from 'node:path';
import { unavailable } from '../../../core/errors.ts';
import { DockerApi } from '../api/docker-api.ts';
import { endpointOf, type TlsMaterial } from '../api/endpoint.ts';
import type { DaemonInfo } from '../api/shapes.ts';
import { DockerNode } from '../docker-node.ts';
import { ImageExchange } from '../images/image-exchange.ts';
import { createDockerImages } from '../images/images.ts';
import { holds, parseSubnet } from '../network/subnets.ts';
import { ensureSwarm } from '../network/swarm.ts';
import type { Seen } from '../roster.ts';
import type { DockerEngineOptions } from '../settings.ts';
import { assembleShared } from '../shared-parts.ts';
import { Departures } from './departures.ts';
import { EntryPoints } from './entry-points.ts';
import { FleetVolumes } from './fleet-volumes.ts';
import { entranceOf, isMember } from './joining.ts';
import { Listing } from './listing.ts';
import { Managers } from './managers.ts';
import { Member, type Wish } from './member.ts';
import { Members } from './members.ts';
import { Membership } from './membership.ts';
import { NodeAddresses } from './node-addresses.ts';
import { Placing } from './placing.ts';
import { PlatformRoutes } from './platform-routes.ts';
import { Quorum } from './quorum.ts';
import { Tending } from './tending.ts';
import { VolumeBook } from './volume-book.ts';
import { VolumeLeaving } from './volume-leaving.ts';
import { findWire } from './wire.ts';

export type FleetParts = ReturnType<typeof assembleFleet>;

const defaultAdvertiseAddress = '127.0.0.1';

export function assembleFleet(options: DockerEngineOptions, changed: () => void) {
  const { logger, clock, logAppender, stateFolder } = options;
  const isActive = logAppender !== null;
  const managers = new Managers({
    candidates: () => managerApis(members),
    areSeveral: () => !members.isAlone,
  });
  const shared = assembleShared(options, managers);
  const { names, addressPool } = shared;
  const pool = parseSubnet(addressPool);
  const addresses = new NodeAddresses(options, () => members);
  const exchange = new ImageExchange({
    nodes: () => members.ready().map(({ node }) => node.api),
    own: options.registries?.own ?? null,
    logger,
  });
  const quorum = new Quorum(() => members);
  const departures = new Departures({ shared, isKept: (member) => members.keeps(member), logger });

  const create = (address: string, tls: TlsMaterial | null, wish: Wish | null, before: Member | null): Member => {
    const isHome = wish === null;
    const endpoint = endpointOf(address, tls ?? options.tls ?? null);
    const api = new DockerApi(endpoint);
    const host = endpoint.kind === 'unix' ? null : endpoint.host;
    const admit = (id: string): void => {
      departures.refuse(id);
      // Who takes out another way to it from now on hears that it is wanted.
      member.machineId = id;
    };
    const join = entranceOf({ api, managers, host, admit, installId: names.installId });
    const isKnown = async (id: string): Promise<boolean> => {
      // Others wait to hear which machine it is, and it waits for them.
      member.machineId = id;
      return !members.isAlone && isMember(managers, id);
    };
    const begin = () => ensureSwarm(api, options.advertiseAddress ?? defaultAdvertiseAddress, isKnown);
    const node: DockerNode = new DockerNode({
      ...{ shared, api, changed },
      enter: async () => {
        if (!departures.has(member)) return isHome ? begin() : join();
        if (!member.isReady) throw unavailable('it was removed');
        // What is being emptied neither joins again nor waits for its own end.
        return api.call<DaemonInfo>('GET', '/info');
      },
      id: () => member.wish?.id ?? null,
      isAddress: (text) => (endpoint.kind === 'unix' ? isIPv4(text) : holds(pool, text)),
      surroundings: { exchange, addresses: () => addresses.rulesFor(member) },
    });
    const member: Member = new Member(
      {
        ...{ address, isHome, node, logger, changed },
        turned: () => {
          members.turned();
          quorum.observe();
          tending.hurry();
        },
        findWire: () => findWire(endpoint),
        reach: async ({ theirs }, seen) => {
          // A platform on its home node keeps to the overlay: machines that are in different segments may pass on nothing.
          if (!members.isAlone && members.isBeside) await routes?.lead(theirs, hostsOf(seen));
        },
        canBeLost: () => !members.isAlone,
        twin: () => members.twinOf(member),
        takeOver: async () => {
          if (!isHome) await members.homeSettled();
          await before?.handOver();
        },
      },
      wish,
    );
    return member;
  };

  const members: Members = new Members({
    homeAddress: options.host,
    create,
    leaving: (member) => departures.begin(member),
    changed: () => {
      tending.hurry();
      changed();
    },
  });
  const book = new VolumeBook(join(stateFolder, 'volumes.json'));
  const volumes = new FleetVolumes({ members, book, names, logger });
  const keepsRoute = isActive && options.routes === true && process.getuid?.() === 0;
  const isLocal = endpointOf(options.host, options.tls ?? null).kind === 'unix';
  const routes = keepsRoute && !isLocal ? new PlatformRoutes({ addressPool, logger }) : null;
  const entryPoints = new EntryPoints({ members, routes, isActive, logger });
  const membership = new Membership({
    ...{ members, managers, quorum, isActive, logger, installId: names.installId },
    isLeaving: (id) => departures.isLeaving(id),
  });
  const tending: Tending = new Tending({
    ...{ shared, members, membership, entryPoints, addresses, volumes, isActive, logger },
  });
  const images = createDockerImages({
    ...{ names, clock, logger },
    ...(options.registries === undefined ? {} : { registries: options.registries }),
    ...(options.freeSpaceFloorBytes === undefined ? {} : { freeSpaceFloorBytes: options.freeSpaceFloorBytes }),
    nodes: async () => present(members).map(({ node }) => node.api),
    builder: async () => {
      const [{ node }] = present(members);
      const { stepLimits, buildFirewall, helper } = node.parts;
      return { api: node.api, stepLimits, ready: () => helper.standing(), protect: () => buildFirewall.raise() };
    },
    hostEnvironment: options.hostEnvironment ?? {},
  });
  return {
    ...{ shared, members, volumes, tending, departures, images },
    listing: new Listing({ members, quorum, names, logger }),
    placing: new Placing({ members, volumes, book, entryPoints, names, log: { logger, clock, logAppender } }),
    volumeLeaving: new VolumeLeaving({ members, book, volumes, logger }),
  };
}

/** Those that are known to be in this install's Swarm: which of them are managers at the moment, they say. The home node alone is always one. */
function managerApis(members: Members): readonly DockerApi[] {
  const ready = members.all().filter(({ isReady, isHome }) => isReady || (isHome && members.isAlone));
  return ready.map(({ node }) => node.api);
}

const present = (members: Members): readonly [Member, ...Member[]] =>
  members.isAlone ? [members.home] : members.someReady();

const hostsOf = (seen: readonly Seen[]): string[] =>
  seen.flatMap(({ instance }) => (instance.address === null ? [] : [instance.address.host]));
