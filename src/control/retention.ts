/** Deletes what nobody needs any more, now and then. Every store that grows has its limit here. */
import type { ControlContext } from './control-context.ts';

const EVERY_MS = 10 * 60_000;
const FIRST_MS = 60_000;
const DAY_MS = 24 * 60 * 60_000;
const OPERATIONS_DAYS = 30;
const EVENTS_DAYS = 365;
/** An uploaded source can be built again for so long. */
const UPLOADS_DAYS = 30;
/** This many newest releases of each app can be rolled back to. */
const RELEASES_KEPT = 10;

type RetentionContext = Pick<ControlContext, 'db' | 'builder' | 'images' | 'clock' | 'blobs' | 'logs' | 'logger'>;

export class Retention {
  readonly #context: RetentionContext;
  #timer: NodeJS.Timeout | null = null;
  constructor(context: RetentionContext) {
    this.#context = context;
  }

  start(): void {
    this.#timer = setTimeout(() => void this.#turn(), FIRST_MS);
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** One round; gives how much of each went. */
  async sweep(): Promise<Readonly<Record<string, number>>> {
    const { db, builder, clock, blobs, logs } = this.#context;
    const now = clock.now();
    const before = (days: number): Date => new Date(now.getTime() - days * DAY_MS);
    const keep = await db.artifacts.inUse(RELEASES_KEPT);
    const pruned = await builder.prune(keep);
    const images = await this.#pruneImages(keep);
    const uploads = await blobs.prune(before(UPLOADS_DAYS), new Set());
    const segments = await logs.prune();
    return {
      artifacts: pruned.removed,
      images: images.removed,
      freedBytes: pruned.freedBytes + images.freedBytes + uploads.freedBytes + segments.freedBytes,
      uploads: uploads.removed,
      logSegments: segments.segments,
      operations: await db.operations.removeFinishedBefore(before(OPERATIONS_DAYS)),
      events: await db.events.removeBefore(before(EVENTS_DAYS)),
      tokens: await db.tokens.removeExpired(now),
    };
  }

  /** Machines that do not answer now keep nothing else from being tidied up. */
  async #pruneImages(keep: ReadonlySet<string>): Promise<{ readonly removed: number; readonly freedBytes: number }> {
    const nothing = { removed: 0, freedBytes: 0 };
    try {
      return (await this.#context.images?.prune(keep)) ?? nothing;
    } catch (error) {
      this.#context.logger.warn({ err: error }, 'images are not looked through now');
      return nothing;
    }
  }

  async #turn(): Promise<void> {
    try {
      const went = await this.sweep();
      if (Object.values(went).some((count) => count > 0))
        this.#context.logger.info(went, 'retention removed what was over its limit');
    } catch (error) {
      this.#context.logger.warn({ err: error }, 'retention failed; the next round tries again');
    }
    if (this.#timer !== null) this.#timer = setTimeout(() => void this.#turn(), EVERY_MS);
  }
}
