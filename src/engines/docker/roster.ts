/** The instances that this install has on the daemon, as their containers' labels and states tell. */
import { notFound } from '../../core/errors.ts';
import type { EngineInstance } from '../../core/ports/engine.ts';
import type { DockerApi } from './api/docker-api.ts';
import type { ContainerDetails, ContainerSummary } from './api/shapes.ts';
import { dateOf, exitOf } from './exit.ts';
import { type Identity, readIdentity } from './identity.ts';
import { labels, type Names } from './names.ts';
import type { Notes } from './notes.ts';
import { inspectContainer } from './standing-container.ts';

export interface Found {
  readonly identity: Identity;
  readonly details: ContainerDetails;
}

/** An instance as it is listed, with what its container says of it. */
export interface Seen {
  readonly identity: Identity;
  readonly instance: EngineInstance;
}

export interface RosterParts {
  readonly api: DockerApi;
  readonly names: Names;
  readonly notes: Notes;
  readonly nodeId: () => Promise<string>;
  /** Whether the daemon may say that an instance is reached there. */
  readonly isAddress: (address: string) => boolean;
  /** Between the start's acceptance and its container's start. */
  readonly launching: () => readonly Identity[];
  readonly isStopping: (id: string) => boolean;
  /** Asked of what has ended, which is listed as before until then. */
  readonly mayTellEnd: (identity: Identity) => boolean;
}

export class Roster {
  readonly #parts: RosterParts;
  /** What does not change while a container runs, or after it ended: by its id and state. */
  readonly #details = new Map<string, ContainerDetails>();

  constructor(parts: RosterParts) {
    this.#parts = parts;
  }

  /** All containers of instances. */
  async containers(): Promise<readonly { readonly identity: Identity; readonly summary: ContainerSummary }[]> {
    const { api, names } = this.#parts;
    const query = { all: true, filters: names.filters('instance') };
    const found = await api.call<readonly ContainerSummary[]>('GET', '/containers/json', { query });
    return found.flatMap((summary) => {
      const identity = readIdentity(summary.Labels[labels.identity]);
      return identity === null ? [] : [{ identity, summary }];
    });
  }

  /** Null: not there. */
  async find(id: string): Promise<Found | null> {
    const { api, names } = this.#parts;
    const details = await inspectContainer(api, names.instance(id));
    const identity = readIdentity(details?.Config.Labels[labels.identity]);
    return details === null || identity === null ? null : { details, identity };
  }

  /** Throws not-found. */
  async get(id: string): Promise<Found> {
    const found = await this.find(id);
    if (found === null) throw notFound('instance');
    return found;
  }

  async list(): Promise<Seen[]> {
    const { launching } = this.#parts;
    const [nodeId, containers, holders] = await Promise.all([
      this.#parts.nodeId(),
      this.containers(),
      this.#podAddresses(),
    ]);
    const ids = new Set(containers.map(({ summary }) => summary.Id));
    for (const key of this.#details.keys()) if (!ids.has(key.split(' ')[0] ?? '')) this.#details.delete(key);
    const starting = (identity: Identity): Seen => ({ identity, instance: startingInstance(identity, nodeId) });
    const begun = new Map(launching().map((identity) => [identity.id, identity]));
    const listed = await Promise.all(
      containers.map(async ({ identity, summary }) => {
        if (begun.has(identity.id) && identity.startError === null) return starting(identity);
        const details = await this.#inspect(summary);
        if (details === null) return null;
        const own =
          this.#addressIn(summary.NetworkSettings?.Networks) || this.#addressIn(details.NetworkSettings.Networks);
        const host = identity.podKey === null ? own : (holders.get(identity.podKey) ?? '');
        return { identity, instance: this.#instance({ identity, details }, host, nodeId) };
      }),
    );
    const there = new Set(containers.map(({ identity }) => identity.id));
    const accepted = [...begun.values()].filter(({ id }) => !there.has(id));
    return [...listed.filter((seen) => seen !== null), ...accepted.map(starting)];
  }

  #instance({ identity, details }: Found, host: string, nodeId: string): EngineInstance {
    const { notes, isStopping, mayTellEnd } = this.#parts;
    const { State } = details;
    const base = startingInstance(identity, nodeId);
    const startedAt = dateOf(State.StartedAt);
    if (identity.startError !== null || State.Error !== '' || hasEnded(details)) {
      if (!mayTellEnd(identity)) return { ...base, state: isStopping(identity.id) ? 'stopping' : 'running', startedAt };
      const ended = exitOf(State, identity, notes.of(identity.id).sent);
      const exit =
        identity.startError === null
          ? ended
          : { ...ended, startError: identity.startError, at: new Date(details.Created) };
      return { ...base, state: 'exited', startedAt, exit };
    }
    // For a moment Docker says that it runs, and not yet where.
    if (State.Status === 'created' || (identity.port !== null && host === '')) return base;
    return {
      ...base,
      state: isStopping(identity.id) ? 'stopping' : 'running',
      address: identity.port === null ? null : { host, port: identity.port },
      pid: State.Pid,
      startedAt,
    };
  }

  async #inspect({ Id, State }: ContainerSummary): Promise<ContainerDetails | null> {
    const key = `${Id} ${State}`;
    const known = this.#details.get(key);
    if (known !== undefined) return known;
    const details = await inspectContainer(this.#parts.api, Id);
    const isWhole = State === 'exited' || this.#addressIn(details?.NetworkSettings.Networks) !== '';
    if (details !== null && details.State.Status === State && State !== 'created' && isWhole)
      this.#details.set(key, details);
    return details;
  }

  /** Where pods are reached, by their keys: the network is the holder's, not the members'. */
  async #podAddresses(): Promise<ReadonlyMap<string, string>> {
    const { api, names } = this.#parts;
    const query = { filters: names.filters('pod') };
    const found = await api.call<readonly ContainerSummary[]>('GET', '/containers/json', { query });
    return new Map(
      found.map(({ Labels, NetworkSettings }) => [
        Labels[labels.pod] ?? '',
        this.#addressIn(NetworkSettings?.Networks),
      ]),
    );
  }

  #addressIn(networks: Readonly<Record<string, { readonly IPAddress: string }>> | undefined): string {
    const address = Object.values(networks ?? {})[0]?.IPAddress ?? '';
    return this.#parts.isAddress(address) ? address : '';
  }
}

export const hasEnded = ({ State: { Status } }: ContainerDetails): boolean => Status === 'exited' || Status === 'dead';

export function startingInstance(identity: Identity, nodeId: string): EngineInstance {
  const { id, kind, appId, processType, generation } = identity;
  return {
    id,
    kind,
    appId,
    processType,
    generation,
    nodeId,
    state: 'starting',
    address: null,
    pid: null,
    startedAt: null,
    exit: null,
  };
}
