/**
 * Pods: instances that share a network. A container of the platform's own holds it, so that members may come and go in any order. Docker
 * gives all of them one list of host names, so every member's links are known by name to the whole pod.
 */
import type { DockerApi } from './api/docker-api.ts';
import type { ContainerSummary } from './api/shapes.ts';
import { labels, type Names } from './names.ts';
import { ensureRunning, removeContainer } from './standing-container.ts';

export interface PodsParts {
  readonly api: DockerApi;
  readonly names: Names;
  readonly image: () => Promise<string>;
  /** Runs a script in a container of the platform's own. */
  readonly runIn: (container: string, script: string, ...args: readonly string[]) => Promise<void>;
}

export interface PodInput {
  readonly key: string;
  readonly spaceId: string;
  readonly network: string;
  readonly hostname: string;
  /** Addresses by name. */
  readonly hosts: Readonly<Record<string, string>>;
}

const limits = { Memory: 64 * 2 ** 20, PidsLimit: 32 };
const addHosts = 'for line in "$@"; do grep -qxF "$line" /etc/hosts || echo "$line" >> /etc/hosts; done';

export class Pods {
  readonly #parts: PodsParts;
  /** Work on one pod is done in turn. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(parts: PodsParts) {
    this.#parts = parts;
  }

  /** Runs `work` while the pod's network is there, with the name of the container that holds it. */
  async join<T>(input: PodInput, work: (holder: string) => Promise<T>): Promise<T> {
    return this.#inTurn(input.key, async () => {
      const { api, names, runIn } = this.#parts;
      const holder = names.pod(input.key);
      await ensureRunning(api, holder, () => this.#holder(input));
      const lines = Object.entries(input.hosts).map(([name, address]) => `${address} ${name}`);
      if (lines.length > 0) await runIn(holder, addHosts, ...lines);
      return work(holder);
    });
  }

  /** Takes the network away after the last member. */
  async leave(key: string): Promise<void> {
    await this.#inTurn(key, async () => {
      const { api, names } = this.#parts;
      const { label } = names.filters('instance');
      const query = { all: true, filters: { label: [...label, `${labels.pod}=${key}`] } };
      const members = await api.call<readonly ContainerSummary[]>('GET', '/containers/json', { query });
      if (members.length === 0) await removeContainer(api, names.pod(key));
    });
  }

  #inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(key) ?? Promise.resolve();
    const turn = before.then(work, work);
    const settled = turn.then(
      () => {},
      () => {},
    );
    this.#turns.set(key, settled);
    void settled.then(() => {
      if (this.#turns.get(key) === settled) this.#turns.delete(key);
    });
    return turn;
  }

  async #holder({ key, spaceId, network, hostname }: PodInput): Promise<object> {
    const { names, image } = this.#parts;
    return {
      Image: await image(),
      Hostname: hostname,
      Entrypoint: ['/bin/sleep'],
      Cmd: ['infinity'],
      // The owner of its /etc/hosts, without any right.
      User: '0:0',
      Labels: names.labels('pod', { [labels.space]: spaceId, [labels.pod]: key }),
      HostConfig: {
        ...limits,
        NetworkMode: network,
        Init: true,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges'],
        LogConfig: { Type: 'none' },
      },
    };
  }
}
