/** What the verbs of the Docker engine's images have in common. */
import type { Clock } from '../../../core/ports/clock.ts';
import type { Logger } from '../../../lib/logger.ts';
import type { DockerApi } from '../api/docker-api.ts';
import type { Names } from '../names.ts';
import type { StepLimits } from './build/step-limits.ts';
import type { RegistryRules } from './registry-rules.ts';

export interface ImagesParts {
  /** The daemons of the nodes that are ready. */
  readonly nodes: () => Promise<readonly DockerApi[]>;
  /** The node that builds now. Rejects with `unavailable` when there is none. */
  readonly builder: () => Promise<BuildNode>;
  /** Absent: public ones, as nobody. */
  readonly registries?: RegistryRules;
  readonly names: Names;
  /** A node with less free is cleaned up, and nothing is built or pulled on it. Default 5 GiB. */
  readonly freeSpaceFloorBytes?: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Certificate bundles and proxies that instances get, for the steps of builds as well. */
  readonly hostEnvironment: Readonly<Record<string, string>>;
}

export interface BuildNode {
  readonly api: DockerApi;
  readonly stepLimits: StepLimits;
  /** The helper that says how much room there is stands afterwards. */
  readonly ready: () => Promise<unknown>;
  /** Puts the node's firewall in force; no step of a build runs before. */
  readonly protect: () => Promise<void>;
}
