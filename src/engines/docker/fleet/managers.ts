/**
 * The control plane of the Swarm, at whichever of its managers answers: networks and the list of nodes go on while one of several managers
 * is away, after the others agreed on a new leader.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { BerthError, unavailable } from '../../../core/errors.ts';
import type { CallOptions, DockerApi } from '../api/docker-api.ts';
import { DockerError } from '../api/docker-error.ts';

type Manager = Pick<DockerApi, 'call'>;

export interface ManagersParts {
  /** Those that may be managers now, the likeliest first. */
  readonly candidates: () => readonly Manager[];
  /** Whether another one may answer when this one does not. */
  readonly areSeveral: () => boolean;
}

/** A manager without a leader says nothing at all for long; what changes something may take a while even so. */
const readMs = 3_000;
const changeMs = 10_000;
const electionMs = 25_000;
const againMs = 500;
/** What managers say that are none any more, or have no leader at the moment. Source: swarmkit, manager/state/raft, and moby, daemon/cluster. */
const elsewhere =
  /not a swarm manager|does not have a leader|no elected leader|lost leadership|quorum|raft: |deadline exceeded/i;

export class Managers {
  readonly #parts: ManagersParts;
  #last: Manager | null = null;

  constructor(parts: ManagersParts) {
    this.#parts = parts;
  }

  /** As DockerApi's `call`. Rejects with `unavailable` when no manager answers, or they have had no leader for long. */
  async call<T>(method: Parameters<DockerApi['call']>[0], path: string, options: CallOptions = {}): Promise<T> {
    const { areSeveral } = this.#parts;
    const until = performance.now() + electionMs;
    const timeoutMs = method === 'GET' ? readMs : changeMs;
    for (;;) {
      let trouble: unknown = unavailable('no manager of the Docker Swarm answers');
      for (const api of this.#candidates()) {
        try {
          const answer = await api.call<T>(method, path, { timeoutMs, ...options });
          this.#last = api;
          return answer;
        } catch (error) {
          if (!isElsewhere(error)) throw error;
          trouble = error;
        }
      }
      if (!areSeveral() || performance.now() > until) throw finalTrouble(trouble);
      await delay(againMs, undefined, { ref: false });
    }
  }

  #candidates(): readonly Manager[] {
    const all = this.#parts.candidates();
    const last = all.filter((api) => api === this.#last);
    return [...last, ...all.filter((api) => api !== this.#last)];
  }
}

/** Another manager may know better. */
function isElsewhere(error: unknown): boolean {
  if (error instanceof DockerError)
    return error.status === 503 || (error.status === 500 && elsewhere.test(error.message));
  return error instanceof BerthError && error.kind === 'unavailable';
}

const finalTrouble = (error: unknown): unknown =>
  error instanceof DockerError ? unavailable('the managers of the Docker Swarm have no leader', error) : error;
