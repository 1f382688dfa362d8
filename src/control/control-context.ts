/** What the loops are made of. */
import type { AddonProviders } from '../core/ports/addon-provider.ts';
import type { BlobStore } from '../core/ports/blob-store.ts';
import type { Builder } from '../core/ports/builder.ts';
import type { CoreContext } from '../core/ports/core-context.ts';
import type { Engine } from '../core/ports/engine.ts';
import type { LogStore } from '../core/ports/log-store.ts';
import type { Router } from '../core/ports/router.ts';
import type { Sandbox } from '../core/ports/sandbox.ts';
import type { Logger } from '../lib/logger.ts';

export interface ControlContext extends CoreContext {
  readonly engine: Engine;
  readonly sandbox: Sandbox;
  readonly router: Router;
  readonly builder: Builder;
  readonly logs: LogStore & { prune(): Promise<{ readonly segments: number; readonly freedBytes: number }> };
  readonly blobs: BlobStore;
  readonly addonProviders: AddonProviders;
  readonly logger: Logger;
  /** The machine of the platform's own settings, and the kind of its engine; null where the engine in use has no nodes. */
  readonly homeNode?: { readonly address: string; readonly engine: string } | null;
  /** Who holds leases: this server. The same after its restart. */
  readonly holder: string;
  readonly limits: ControlLimits;
}

/** What the loops of add-ons are made of. */
export type AddonContext = Pick<
  ControlContext,
  'db' | 'clock' | 'ids' | 'box' | 'logs' | 'logger' | 'holder' | 'limits' | 'addonProviders'
>;

export interface ControlLimits {
  /** A new instance must be healthy within. */
  readonly bootTimeoutMs: number;
  /** Requests in flight get so long before their instance is stopped. */
  readonly drainTimeoutMs: number;
  /** From SIGTERM to SIGKILL. */
  readonly graceMs: number;
  /** A process without a port counts as ready when it has run so long. */
  readonly settleMs: number;
  readonly buildsAtOnce: number;
  /** Everything is looked at again at least so often, also without a wake. */
  readonly resyncMs: number;
  /** How much add-ons hold is looked at so often. */
  readonly addonWatchMs: number;
}
