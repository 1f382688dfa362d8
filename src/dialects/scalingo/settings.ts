/** What the dialect is made of: the core's services, and the few settings that its answers show. */
import type { Core } from '../../core/core.ts';
import type { BlobStore } from '../../core/ports/blob-store.ts';
import type { Clock, Ids } from '../../core/ports/clock.ts';
import type { SecretBox } from '../../core/ports/secret.ts';
import type { RequestSample } from '../../http/instance.ts';
import type { Logger } from '../../lib/logger.ts';

export interface ScalingoSettings {
  /** Where clients reach this dialect, without a final slash, when a request does not say it by its `Host`. */
  readonly publicUrl: string;
  /** Where an app answers, by its handle. */
  readonly appUrl: (handle: string) => string;
  /** Where `git push` and tunnels knock: `host:port`. */
  readonly sshAddress: string;
  /** The platform is one region to this API. */
  readonly regionName: string;
  /** Whether strangers may make themselves an account by `POST /users`. */
  readonly signUp: boolean;
  /** The most that an uploaded source may have. */
  readonly sourceBytes: number;
  /** Shown with a 402: where people learn how to get more. */
  readonly billingUrl: string;
}

export interface ScalingoParts {
  readonly core: Core;
  readonly settings: ScalingoSettings;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Signs and seals what tokens and URLs say. */
  readonly box: SecretBox;
  /** Takes uploaded sources. */
  readonly blobs: BlobStore;
  readonly observe?: (sample: RequestSample) => void;
}
