/** What the verbs of the Docker engine's images have in common. */
import type { Clock } from '../../../core/ports/clock.ts';
import type { Logger } from '../../../lib/logger.ts';
import type { DockerApi } from '../api/docker-api.ts';
import type { Names } from '../names.ts';

export interface ImagesParts {
  /** The daemons of the nodes that are ready; images are built on the first. Rejects with `unavailable` when there is none. */
  readonly nodes: () => Promise<readonly DockerApi[]>;
  readonly names: Names;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Puts the firewall of the building node in force; no step of a build runs before. */
  readonly protect: () => Promise<void>;
  /** Certificate bundles and proxies that instances get, for the steps of builds as well. */
  readonly hostEnvironment: Readonly<Record<string, string>>;
}
