/** What the dialect is made of: the core's services, and the few settings that its answers show. */
import type { Core } from '../../core/core.ts';
import type { Clock, Ids } from '../../core/ports/clock.ts';
import type { SecretBox } from '../../core/ports/secret.ts';
import type { RequestSample } from '../../http/instance.ts';
import type { Logger } from '../../lib/logger.ts';

export interface GiantSwarmSettings {
  /** Shown as `default_cluster` of every organization. */
  readonly defaultCluster: string;
  /** The host in the names of images that were built here, for definitions of apps that were made without one. */
  readonly registryHost: string;
}

export interface GiantSwarmParts {
  readonly core: Core;
  readonly settings: GiantSwarmSettings;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Seals what a stream's token says. */
  readonly box: SecretBox;
  readonly observe?: (sample: RequestSample) => void;
}
