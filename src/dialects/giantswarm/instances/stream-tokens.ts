/**
 * What a stream's token says, sealed with the platform's key, so that it works on every server. It is good for one use within a minute; the
 * uses are remembered by each server for itself.
 */
import { unauthenticated } from '../../../core/errors.ts';
import type { Id } from '../../../core/names.ts';
import { Secret } from '../../../core/ports/secret.ts';
import type { GiantSwarmParts } from '../settings.ts';

export type StreamKind = 'logs' | 'stats';

export interface StreamGrant {
  readonly kind: StreamKind;
  readonly userId: Id<'user'>;
  readonly teamId: Id<'team'>;
  /** Ids of seats by the app that they are of; null: all that the organization has when the stream begins. */
  readonly instances: Readonly<Record<Id<'app'>, readonly string[]>> | null;
  readonly intervalMs: number;
}

interface Sealed extends StreamGrant {
  /** When it was made; a stream of logs begins there. */
  readonly since: number;
  readonly nonce: string;
}

export interface RedeemedGrant extends StreamGrant {
  readonly since: Date;
}

const LIFE_MS = 60_000;
const NONCE_BYTES = 12;
const sealContext = 'giantswarm/stream';

export class StreamTokens {
  readonly #parts: Pick<GiantSwarmParts, 'box' | 'clock' | 'ids'>;
  /** When those that were used would have ended. */
  readonly #used = new Map<string, number>();

  constructor(parts: Pick<GiantSwarmParts, 'box' | 'clock' | 'ids'>) {
    this.#parts = parts;
  }

  issue(grant: StreamGrant): string {
    const { box, clock, ids } = this.#parts;
    const sealed: Sealed = { ...grant, since: clock.now().getTime(), nonce: ids.token(NONCE_BYTES) };
    return Buffer.from(box.seal(new Secret(JSON.stringify(sealed)), sealContext)).toString('base64url');
  }

  /** Throws `unauthenticated` for a token that is forged, over, used before, or of another kind of stream. */
  redeem(text: string, kind: StreamKind): RedeemedGrant {
    const now = this.#parts.clock.now().getTime();
    const { since, nonce, ...grant } = this.#open(text);
    for (const [used, end] of this.#used) if (end < now) this.#used.delete(used);
    if (grant.kind !== kind || since + LIFE_MS < now || this.#used.has(nonce)) throw unauthenticated();
    this.#used.set(nonce, since + LIFE_MS);
    return { ...grant, since: new Date(since) };
  }

  #open(text: string): Sealed {
    try {
      return JSON.parse(this.#parts.box.open(Buffer.from(text, 'base64url'), sealContext).reveal()) as Sealed;
    } catch {
      throw unauthenticated();
    }
  }
}
