/** What the dialect is made of: the core's services, and the few settings that its answers show. */
import type { Core } from '../../core/core.ts';
import type { BlobStore } from '../../core/ports/blob-store.ts';
import type { Clock, Ids } from '../../core/ports/clock.ts';
import type { SecretBox } from '../../core/ports/secret.ts';
import type { RequestSample } from '../../http/instance.ts';
import type { Logger } from '../../lib/logger.ts';

export interface AkkerisSettings {
  /** Where clients reach this dialect, without a final slash: the base of the absolute URLs in answers. */
  readonly publicUrl: string;
  /** Where an app answers, by its handle. */
  readonly appUrl: (handle: string) => string;
  /** Shown as `feedback_email` of features. */
  readonly supportEmail: string;
  /** The largest body of `POST builds`, which may hold a whole source as a data URI. */
  readonly sourceBodyBytes: number;
}

export interface AkkerisParts {
  readonly core: Core;
  readonly settings: AkkerisSettings;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Seals what a log session's URL says. */
  readonly box: SecretBox;
  /** Takes sources that arrive as data URIs. */
  readonly blobs: BlobStore;
  readonly observe?: (sample: RequestSample) => void;
}

/** The port that a web formation shows, and `PORT` in the config vars, until one is set. */
export const DEFAULT_PORT = 9000;
