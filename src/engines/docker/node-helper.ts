/**
 * A container in the node's own network and process namespaces through which the engine sets up what the Engine API cannot: routes,
 * firewalls, and signals to the processes of an exec. It does on any node of the Swarm what root would do on this one.
 */
import { unavailable } from '../../core/errors.ts';
import type { DockerApi } from './api/docker-api.ts';
import type { Names } from './names.ts';
import { runIn } from './run-in.ts';
import { ensureRunning, removeContainer } from './standing-container.ts';

export interface HelperParts {
  readonly api: DockerApi;
  readonly names: Names;
  /** The image that it is made from. */
  readonly image: () => Promise<string>;
}

/** Where it sees the control groups of the whole node. */
export const cgroupsInside = '/run/berth/cgroup';

/** Its processes may be many for a moment, and must never starve a node. */
const limits = { Memory: 256 * 2 ** 20, PidsLimit: 512 };
const rights = ['CAP_NET_ADMIN', 'CAP_NET_RAW', 'CAP_SYS_ADMIN', 'CAP_SYS_PTRACE', 'CAP_KILL'];

export class NodeHelper {
  readonly #parts: HelperParts;
  #standing: Promise<unknown> | null = null;
  /** Also those that were forgotten meanwhile. */
  readonly #making = new Set<Promise<unknown>>();
  #isGone = false;
  #underWay = new AbortController();

  constructor(parts: HelperParts) {
    this.#parts = parts;
  }

  /** It may have ended: the next use looks. */
  forget(): void {
    this.#standing = null;
  }

  /** The name of the container, when it runs. */
  async standing(): Promise<string> {
    if (this.#isGone) throw unavailable('this node is being taken out');
    this.#standing ??= this.#tracked(this.#ensure());
    try {
      await this.#standing;
    } catch (error) {
      this.forget();
      throw error;
    }
    return this.#parts.names.helper;
  }

  /**
   * Runs a fixed shell script with arguments and gives back what it printed. Rejects with its complaint when it fails, with `unavailable` when it
   * takes longer than twenty seconds.
   */
  async run(script: string, ...args: readonly string[]): Promise<string> {
    try {
      const { signal } = this.#underWay;
      return await runIn({ api: this.#parts.api, container: await this.standing(), signal }, script, ...args);
    } catch (error) {
      this.forget();
      throw error;
    }
  }

  /** Nobody waits any more for what is being run. */
  interrupt(): void {
    this.#underWay.abort(unavailable('this server lets go of the node'));
    this.#underWay = new AbortController();
  }

  /** It goes for good: whoever needs it afterwards is refused. Rejects when it could not be removed, and then it may be used on. */
  async remove(): Promise<void> {
    this.#isGone = true;
    try {
      await Promise.allSettled(this.#making);
      await removeContainer(this.#parts.api, this.#parts.names.helper);
    } catch (error) {
      this.#isGone = false;
      throw error;
    }
  }

  #tracked(making: Promise<unknown>): Promise<unknown> {
    this.#making.add(making);
    const over = (): void => void this.#making.delete(making);
    making.then(over, over);
    return making;
  }

  #ensure(): Promise<unknown> {
    const { api, names, image } = this.#parts;
    return ensureRunning(api, names.helper, async () => ({
      Image: await image(),
      Entrypoint: ['/bin/sleep'],
      Cmd: ['infinity'],
      User: '0:0',
      Labels: names.labels('helper'),
      HostConfig: {
        ...limits,
        NetworkMode: 'host',
        PidMode: 'host',
        Init: true,
        CapDrop: ['ALL'],
        CapAdd: rights,
        SecurityOpt: ['seccomp=unconfined', 'apparmor=unconfined', 'no-new-privileges'],
        // The kernel's settings are written through /proc/sys.
        ReadonlyPaths: [],
        MaskedPaths: [],
        Binds: [`/sys/fs/cgroup:${cgroupsInside}`],
        LogConfig: { Type: 'none' },
      },
    }));
  }
}
