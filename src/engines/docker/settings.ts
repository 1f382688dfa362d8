/** What the Docker engine is told when it starts. `src/main` reads the settings and fills these in. */
import type { Clock } from '../../core/ports/clock.ts';
import type { LogStore } from '../../core/ports/log-store.ts';
import type { Logger } from '../../lib/logger.ts';
import type { TlsMaterial } from './api/endpoint.ts';
import type { RegistryRules } from './images/registry-rules.ts';

export interface DockerEngineOptions {
  /** `unix:///var/run/docker.sock`, or `tcp://host:port` with `tls`. The daemon is a Swarm manager, or becomes the only one of its own. */
  readonly host: string;
  readonly tls?: TlsMaterial;
  /** Letters and digits; containers, networks and images of this install carry it, and no other's are touched. */
  readonly installId: string;
  /** Where the engine remembers how far it read whose output, and what it did to whom. Made with mode 0700. */
  readonly stateFolder: string;
  /** An artifact `sha256:<hex>` lies read-only at `<artifactFolder>/<hex>/tree`. */
  readonly artifactFolder: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where the lines of instances go; only `append` is used. Null: another client of this install reads them. */
  readonly logAppender: Pick<LogStore, 'append'> | null;
  /** IPv4 block from which spaces get their networks. Default 10.64.0.0/10. */
  readonly addressPool?: string;
  /** Where a Swarm that is made here is reached by its nodes. Default 127.0.0.1: by none but this one. */
  readonly advertiseAddress?: string;
  /** TCP ports of the node's loopback that instances may reach, at `host.berth.internal` (add-ons listen there). */
  readonly allowHostPorts?: readonly number[];
  /** IPv4 addresses beside the nodes' own that no instance may reach: the platform's other machines. */
  readonly refuse?: readonly string[];
  /** IPv4 addresses of other machines that may reach instances: routers. The node itself always may. */
  readonly routers?: readonly string[];
  /**
   * Whether this machine keeps itself a route to the spaces, by way of a node that is ready. For root on a machine that is no node itself,
   * with `host` over TCP. Default: somebody else leads `addressPool` to the node of `host`.
   */
  readonly routes?: boolean;
  /** Given to every instance below its own environment: certificate bundles, proxies. */
  readonly hostEnvironment?: Readonly<Record<string, string>>;
  /** Where a node has less room than this for images, all that can be made or fetched again goes, and nothing is built or pulled. Default 5 GiB. */
  readonly freeSpaceFloorBytes?: number;
  /** The Node runtime that instances of artifacts find on their PATH. Default: the one that runs the engine. */
  readonly nodePath?: string;
  /** Images that say root, or nobody, run as root in their containers, with the rights in `container-body.ts`. Default: as the app's user. */
  readonly allowRoot?: boolean;
  /** Where images of registries may come from. Default: public ones, as nobody. */
  readonly registries?: RegistryRules;
}

/** The user of everything that runs from an artifact, and of images that would else run as root. */
export const appUser = 10_001;
/** What an instance that lets the engine choose listens on; each has a network of its own. */
export const chosenPort = 8_080;
export const defaultAddressPool = '10.64.0.0/10';
/** In the environment of every instance. */
export const markName = 'BERTH_INSTANCE_ID';
