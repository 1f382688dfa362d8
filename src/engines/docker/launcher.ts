/** From a spec to a running container: everything that it needs around it first, each made once and found again. */
import type { LinkEnd } from '../../core/instances/link-variables.ts';
import type { InstanceSpec } from '../../core/ports/engine.ts';
import type { LogStore } from '../../core/ports/log-store.ts';
import type { Logger } from '../../lib/logger.ts';
import { mountRefusal } from '../common/mount-points.ts';
import type { DockerApi } from './api/docker-api.ts';
import { DockerError, isStatus } from './api/docker-error.ts';
import { type ContainerPlan, containerBody, hostnameOf, hostsOf } from './container-body.ts';
import { type Identity, identityOf, podKeyOf } from './identity.ts';
import { withImagePort } from './images/image-port.ts';
import type { RunnableImage, RunnableImages } from './images/runnable-images.ts';
import { platformLine, streamOf } from './log-lines.ts';
import { labels, type Names } from './names.ts';
import type { Gateways, Space } from './network/gateways.ts';
import type { LinkPlaces } from './network/link-places.ts';
import type { NodeFirewall } from './network/node-firewall.ts';
import type { Pods } from './pods.ts';
import type { Sessions } from './sessions.ts';
import { appUser } from './settings.ts';
import { inspectContainer, removeContainer } from './standing-container.ts';
import { putUploads } from './uploads.ts';
import type { Volumes } from './volumes.ts';

export interface LauncherParts {
  readonly api: DockerApi;
  readonly names: Names;
  readonly images: RunnableImages;
  /** What a container that never runs is made of. */
  readonly stack: () => Promise<string>;
  readonly gateways: Gateways;
  readonly firewall: NodeFirewall;
  readonly places: LinkPlaces;
  readonly pods: Pods;
  readonly volumes: Volumes;
  readonly sessions: Sessions;
  readonly hostEnvironment: Readonly<Record<string, string>>;
  readonly knowsConsoleSize: () => Promise<boolean>;
  readonly now: () => Date;
  /** Null: another client says what is to be said. */
  readonly logAppender: Pick<LogStore, 'append'> | null;
  readonly logger: Logger;
}

const loopback = '127.0.0.1';
/**
 * The managers of the Swarm, whom a daemon asks before a container joins a network, are choosing a leader or are out of its reach, or it has
 * only just joined them. Source: moby, daemon/cluster and daemon/container_operations; swarmkit, manager/state/raft.
 */
const noLeader = /does not have a leader|no elected leader|lost leader|raft: |attaching to network|deadline exceeded/i;

export class Launcher {
  readonly #parts: LauncherParts;

  constructor(parts: LauncherParts) {
    this.#parts = parts;
  }

  /**
   * Resolves when it runs, or with a container that says why it cannot. Rejects when the daemon is away: then nothing is decided, and the
   * same may be asked again. True when it started. `before` is done first, and its failure is the instance's. The signal ends the waiting
   * for what others may wait for too.
   */
  async launch(
    spec: InstanceSpec,
    before: () => Promise<void> = async () => {},
    signal: AbortSignal = new AbortController().signal,
  ): Promise<boolean> {
    try {
      await until(signal, before());
      await this.#launch(spec, signal);
      return true;
    } catch (error) {
      this.#parts.sessions.forget(spec.id);
      if (!isFinal(error)) {
        // Made and never started, it would be taken for one that starts.
        await removeContainer(this.#parts.api, this.#parts.names.instance(spec.id)).catch(() => {});
        throw error;
      }
      await this.#recordFailure(spec, error instanceof Error ? error.message : 'it could not be started');
      return false;
    }
  }

  async #launch(spec: InstanceSpec, signal: AbortSignal): Promise<void> {
    const { images, gateways, firewall, volumes, pods } = this.#parts;
    const refusal = mountRefusal((spec.mounts ?? []).map(({ path }) => path));
    if (refusal !== null) throw new Error(refusal);
    const [image, space, gateway] = await Promise.all([
      images.ensure(spec.artifactDigest, spec.appId, signal),
      gateways.ensure(spec.spaceId),
      firewall.gateway(),
      ...(spec.mounts ?? []).map(({ volumeId }) => volumes.ensure(volumeId)),
    ]);
    const { ends, places } = await this.#links(spec, space);
    const key = podKeyOf(spec);
    const start = (network: ContainerPlan['network']): Promise<void> =>
      this.#start(spec, image, places, { gateway, ends, network });
    if (key === null) return start({ name: space.network });
    const hostname = hostnameOf(spec);
    const pod = { key, spaceId: spec.spaceId, network: space.network, hostname, hosts: hostsOf({ gateway, ends }) };
    await pods.join(pod, (holder) => start({ holder }));
  }

  async #start(
    wanted: InstanceSpec,
    image: RunnableImage,
    places: Identity['places'],
    around: Pick<ContainerPlan, 'gateway' | 'ends' | 'network'>,
  ): Promise<void> {
    const { api, names, volumes, sessions, hostEnvironment, knowsConsoleSize, now } = this.#parts;
    const spec = withImagePort(wanted, image);
    const identity = identityOf(spec, now(), image.own, places);
    const plan = {
      ...around,
      spec,
      identity,
      image,
      names,
      hostEnvironment,
      knowsConsoleSize: await knowsConsoleSize(),
    };
    const name = names.instance(spec.id);
    await this.#create(name, containerBody(plan));
    await volumes.give(name, spec.mounts ?? [], image);
    await putUploads(api, name, spec.uploads, image);
    if (identity.interactive) await sessions.hold(spec.id, name);
    await api.call('POST', `/containers/${name}/start`);
    if (spec.terminal !== undefined && !plan.knowsConsoleSize) {
      const query = { w: spec.terminal.columns, h: spec.terminal.rows };
      await api.call('POST', `/containers/${name}/resize`, { query }).catch(() => {});
    }
    if (image.insteadOfRoot === true && !identity.interactive) await this.#sayWho(identity);
  }

  /** Somebody whose image cannot do without root would look long for the reason. */
  async #sayWho(identity: Identity): Promise<void> {
    const { logAppender, logger, now } = this.#parts;
    const text = `the image says root, or no user, and runs as user ${appUser} here. Where it cannot do without: another USER in its Dockerfile, or BERTH_DOCKER_ALLOW_ROOT for the whole platform`;
    await logAppender
      ?.append(streamOf(identity), [platformLine(identity, now(), text)])
      .catch((error: unknown) => logger.warn({ error, instance: identity.id }, 'a log line was lost'));
  }

  /** Where each of its links leads; a member of its own pod is at the loopback. */
  async #links(spec: InstanceSpec, space: Space): Promise<{ ends: LinkEnd[]; places: Record<string, string> }> {
    const ends: LinkEnd[] = [];
    const places: Record<string, string> = {};
    let isNews = false;
    for (const { name, target, port } of spec.links ?? []) {
      if (target === null) {
        ends.push({ name, port, at: { host: loopback, port } });
        continue;
      }
      const { address, isNew } = this.#parts.places.place(spec.spaceId, target, space.subnet);
      isNews ||= isNew;
      places[target] = address;
      ends.push({ name, port, at: { host: address, port } });
    }
    if (isNews) await space.apply();
    return { ends, places };
  }

  /** A container that never starts keeps the reason, so that every client finds it. */
  async #recordFailure(spec: InstanceSpec, reason: string): Promise<void> {
    const { api, names, stack, now } = this.#parts;
    const name = names.instance(spec.id);
    await removeContainer(api, name);
    const identity = identityOf(spec, now(), false, {}, reason);
    const key = podKeyOf(spec);
    const body = {
      Image: await stack(),
      Entrypoint: ['/bin/false'],
      NetworkDisabled: true,
      Labels: names.labels('instance', {
        [labels.space]: spec.spaceId,
        [labels.identity]: JSON.stringify(identity),
        ...(key === null ? {} : { [labels.pod]: key }),
      }),
      HostConfig: { NetworkMode: 'none', LogConfig: { Type: 'none' } },
    };
    await api.call('POST', '/containers/create', { query: { name }, body });
  }

  /** Also when it was asked for before, and the answer was lost with the daemon: what never started is made anew. */
  async #create(name: string, body: object): Promise<void> {
    const { api } = this.#parts;
    const create = (): Promise<unknown> => api.call('POST', '/containers/create', { query: { name }, body });
    try {
      await create();
    } catch (error) {
      const found = isStatus(error, 409) ? await inspectContainer(api, name) : null;
      if (found?.State.Status !== 'created') throw error;
      await removeContainer(api, found.Id);
      await create();
    }
  }
}

/** Rejects with the signal's reason when it comes first; the work goes on for whoever else waits for it. */
async function until<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const end = (): void => reject(signal.reason);
  if (signal.aborted) end();
  signal.addEventListener('abort', end);
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', end);
  }
}

/** Asked again, it would fail again. */
function isFinal(error: unknown): boolean {
  if (error instanceof DockerError) return !isStatus(error, 502, 503, 504) && !noLeader.test(error.message);
  return !(error instanceof Error && 'kind' in error && error.kind === 'unavailable');
}
