/** Keeps the steps of builds by BuildKit within limits: a watcher in the node's helper, which lives as long as somebody builds there. */
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { unavailable } from '../../../../core/errors.ts';
import type { ImageBuildInput } from '../../../../core/ports/images.ts';
import type { DockerApi } from '../../api/docker-api.ts';
import { OutputFrames } from '../../api/frames.ts';
import { cgroupsInside, type NodeHelper } from '../../node-helper.ts';
import { nodeInside } from '../stack-image.ts';

export interface StepLimitsParts {
  readonly api: DockerApi;
  readonly helper: Pick<NodeHelper, 'standing' | 'forget'>;
}

export interface HeldLimits {
  /** Aborts when the watcher ended before it was released: steps are without limits then. */
  readonly lost: AbortSignal;
  release(): void;
}

type Limits = ImageBuildInput['limits'];

/** As many as a step of a buildpack may have. */
const pids = 512;
const heapMebibytes = 32;
const readyMs = 30_000;
/** It gives a sign each second; a machine that is busy may keep it. */
const silenceMs = 15_000;
const script = join(import.meta.dirname, 'step-warden.ts');

interface Watcher {
  readonly lost: AbortController;
  readonly socket: Socket;
}

/** One watcher and those who build by it. */
interface Watch {
  readonly watcher: Promise<Watcher>;
  holders: number;
}

export class StepLimits {
  readonly #parts: StepLimitsParts;
  #watch: Watch | null = null;

  constructor(parts: StepLimitsParts) {
    this.#parts = parts;
  }

  /**
   * Resolves when every step that begins from now on gets its limits, until all who hold them released them. Steps do not tell whose they
   * are: while several build, the limits are those of the first. Rejects with `unavailable` when that cannot be.
   */
  async hold(limits: Limits): Promise<HeldLimits> {
    this.#watch ??= this.#begin(limits);
    const watch = this.#watch;
    watch.holders += 1;
    try {
      const { lost, socket } = await watch.watcher;
      let isHeld = true;
      const release = (): void => {
        if (!isHeld) return;
        isHeld = false;
        watch.holders -= 1;
        if (watch.holders > 0) return;
        this.#forget(watch);
        socket.destroy();
      };
      return { lost: lost.signal, release };
    } catch (error) {
      throw unavailable('builds cannot be kept within their limits on this node', error);
    }
  }

  #begin(limits: Limits): Watch {
    const watch: Watch = { watcher: this.#start(limits, () => this.#forget(watch)), holders: 0 };
    watch.watcher.catch(() => {
      this.#forget(watch);
      this.#parts.helper.forget();
    });
    return watch;
  }

  /** Whoever comes next begins another. */
  #forget(watch: Watch): void {
    if (this.#watch === watch) this.#watch = null;
  }

  async #start(limits: Limits, over: () => void): Promise<Watcher> {
    const { api, helper } = this.#parts;
    const wanted = JSON.stringify({ root: cgroupsInside, ...limits, pids });
    const node = [`${nodeInside}/node`, '--input-type=module-typescript', `--max-old-space-size=${heapMebibytes}`];
    const body = {
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Cmd: [...node, '--eval', readFileSync(script, 'utf8'), wanted],
    };
    const { Id } = await api.call<{ Id: string }>('POST', `/containers/${await helper.standing()}/exec`, { body });
    const { socket, head } = await api.upgrade(`/exec/${Id}/start`, { body: { Detach: false, Tty: false } });
    await untilReady(socket, head);
    const lost = new AbortController();
    const silence = setTimeout(() => socket.destroy(), silenceMs);
    socket.on('data', () => silence.refresh());
    socket.once('close', () => {
      clearTimeout(silence);
      over();
      lost.abort(unavailable('the limits of this build’s steps were no longer in force'));
    });
    return { lost, socket };
  }
}

/** Rejects with what it printed instead. */
function untilReady(socket: Socket, head: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const frames = new OutputFrames();
    let printed = '';
    const settle = (error: Error | null): void => {
      clearTimeout(timer);
      socket.off('close', closed);
      if (error === null) resolve();
      else {
        socket.destroy();
        reject(error);
      }
    };
    const closed = (): void => settle(new Error(`the watcher of builds ended: ${printed.trim()}`));
    const timer = setTimeout(() => settle(new Error('the watcher of builds does not begin')), readyMs);
    const take = (chunk: Buffer): void => {
      for (const { source, payload } of frames.push(chunk)) {
        if (source === 'stdout') settle(null);
        else printed = (printed + payload.toString()).slice(-1_000);
      }
    };
    socket.on('error', () => {});
    socket.once('close', closed);
    socket.on('data', take);
    take(head);
  });
}
