/**
 * Takes over what an earlier client left on a node, once for each time that its daemon came: output is followed from where it was left, and
 * gateways stand again. One client of an install does it; the others only learn which addresses are given out.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { DockerApi } from './api/docker-api.ts';
import type { Carrier } from './carrier.ts';
import type { Ending } from './ending.ts';
import { removeLooks } from './images/image-user.ts';
import type { NodeParts } from './parts.ts';
import { hasEnded, type Roster } from './roster.ts';
import type { SharedParts } from './shared-parts.ts';
import { removeContainer } from './standing-container.ts';

export interface AdoptionParts {
  readonly shared: SharedParts;
  readonly parts: NodeParts;
  readonly roster: Roster;
  readonly ending: Ending;
  readonly carrier: Carrier;
  readonly api: DockerApi;
  readonly connected: () => Promise<unknown>;
  readonly isLaunching: (id: string) => boolean;
  readonly changed: () => void;
  readonly signal: AbortSignal;
}

const againMs = 500;

export class Adoption {
  readonly #parts: AdoptionParts;
  #adopting: Promise<void> | null = null;

  constructor(parts: AdoptionParts) {
    this.#parts = parts;
  }

  /** Resolves when it happened; rejects when it cannot happen now. */
  adopted(): Promise<void> {
    return this.#adopting ?? this.#adopt();
  }

  /** The daemon came: tries until it succeeds, or nobody wants it any more. */
  async again(): Promise<void> {
    const { signal, shared } = this.#parts;
    while (!signal.aborted) {
      try {
        return await this.#adopt();
      } catch (error) {
        if (signal.aborted) return;
        shared.options.logger.warn({ error }, 'instances are not taken over yet; trying again');
        await delay(againMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  /** Gateways of spaces in which something runs come back before anybody asks. */
  async restoreSpaces(): Promise<void> {
    const { shared, parts, roster } = this.#parts;
    if (shared.options.logAppender === null) return;
    const running = (await roster.containers()).filter(({ summary }) => summary.State === 'running');
    const spaces = new Set(running.map(({ identity }) => identity.spaceId));
    await Promise.all([...spaces].map((spaceId) => parts.gateways.ensure(spaceId)));
  }

  #adopt(): Promise<void> {
    const adopting = this.#takeOver();
    this.#adopting = adopting;
    adopting.catch(() => {
      if (this.#adopting === adopting) this.#adopting = null;
    });
    return adopting;
  }

  async #takeOver(): Promise<void> {
    const { shared, parts, roster, ending, carrier, api, isLaunching, changed } = this.#parts;
    await this.#parts.connected();
    const containers = await roster.containers();
    for (const { identity } of containers) shared.places.remember(identity.spaceId, identity.places);
    if (shared.options.logAppender === null) return;
    for (const { identity, summary } of containers) {
      if (isLaunching(identity.id) || identity.startError !== null) continue;
      const found = await roster.find(identity.id);
      if (found === null) continue;
      const { Status, Error: reason } = found.details.State;
      // Made and never started: whoever wants it, and still asks, starts it anew.
      if (Status === 'created' && reason === '') await removeContainer(api, summary.Id);
      // Its streams went with the client that held them.
      else if (identity.interactive && !hasEnded(found.details) && !parts.sessions.holds(identity.id)) {
        await ending.send(identity.id, 'SIGKILL');
      } else carrier.follow(found);
    }
    await removeLooks(api, shared.names, shared.options.clock.now());
    await this.restoreSpaces();
    changed();
    // The first start on a daemon would otherwise wait for it.
    void parts.stack
      .ensure()
      .catch((error: unknown) => shared.options.logger.warn({ error }, 'the image for apps is missing'));
  }
}
