/** The embedded engine as the platform sees it: the ports `Engine` and `Sandbox`, spoken to the agent over its socket. */
import { setTimeout as delay } from 'node:timers/promises';
import { BerthError } from '../../core/errors.ts';
import type {
  Engine,
  EngineDescription,
  EngineInstance,
  ExecSession,
  ExecSpec,
  InstanceSpec,
  InstanceStats,
  LinkRoute,
  VolumeLeft,
} from '../../core/ports/engine.ts';
import type { JobExit, JobSpec, Sandbox } from '../../core/ports/sandbox.ts';
import type { Logger } from '../../lib/logger.ts';
import { AgentConnection } from './client-http.ts';
import { openSession } from './client-session.ts';
import type { StoredExit } from './unit-state.ts';
import { instanceFromWire, jobExitFromWire, revealEnvironment, type WireInstance, type WireStats } from './wire.ts';

export interface ProcessEngineOptions {
  readonly socketPath: string;
  readonly logger: Logger;
}

export type ProcessEngine = Engine & Sandbox & { close(): void };

const rewatchMs = 200;
/** A job outlives agents; only its caller's signal ends the waiting. */
const jobPatienceMs = 24 * 3_600_000;

/** Connects on first use; every verb waits a little for an agent that is just restarting, then fails with `unavailable`. */
export function createProcessEngine(options: ProcessEngineOptions): ProcessEngine {
  return new ProcessEngineClient(options);
}

class ProcessEngineClient implements Engine, Sandbox {
  readonly #connection: AgentConnection;
  readonly #logger: Logger;
  readonly #closed = new AbortController();

  constructor(options: ProcessEngineOptions) {
    this.#connection = new AgentConnection(options.socketPath);
    this.#logger = options.logger;
  }

  close(): void {
    this.#closed.abort();
    this.#connection.close();
  }

  describe(): Promise<EngineDescription> {
    return this.#connection.call({ method: 'GET', path: '/describe' });
  }

  async start(spec: InstanceSpec): Promise<EngineInstance> {
    const body = { ...spec, environment: revealEnvironment(spec.environment) };
    return instanceFromWire(await this.#connection.call<WireInstance>({ method: 'POST', path: '/instances', body }));
  }

  async stop(id: string, graceMs: number): Promise<void> {
    await this.#connection.call({ method: 'POST', path: `${instance(id)}/stop`, body: { graceMs } });
  }

  async remove(id: string): Promise<void> {
    await this.#connection.call({ method: 'DELETE', path: instance(id) });
  }

  async list(): Promise<readonly EngineInstance[]> {
    const found = await this.#connection.call<readonly WireInstance[]>({ method: 'GET', path: '/instances' });
    return found.map(instanceFromWire);
  }

  async stats(ids: readonly string[]): Promise<readonly InstanceStats[]> {
    const found = await this.#connection.call<readonly WireStats[]>({ method: 'POST', path: '/stats', body: { ids } });
    return found.map((each) => ({ ...each, at: new Date(each.at) }));
  }

  async exec(id: string, spec: ExecSpec): Promise<ExecSession> {
    const { socket, head } = await this.#connection.upgrade(`${instance(id)}/exec`);
    return openSession(socket, head, { ...spec, environment: revealEnvironment(spec.environment) });
  }

  async attach(id: string): Promise<ExecSession> {
    const { socket, head } = await this.#connection.upgrade(`${instance(id)}/attach`);
    return openSession(socket, head, null);
  }

  async signal(id: string, signal: string): Promise<void> {
    await this.#connection.call({ method: 'POST', path: `${instance(id)}/signal`, body: { signal } });
  }

  async routeLinks(routes: readonly LinkRoute[]): Promise<void> {
    await this.#connection.call({ method: 'POST', path: '/links', body: { routes } });
  }

  async removeVolume(id: string): Promise<void> {
    await this.#connection.call({ method: 'DELETE', path: `/volumes/${encodeURIComponent(id)}` });
  }

  volumes(): Promise<readonly string[]> {
    return this.#connection.call({ method: 'GET', path: '/volumes' });
  }

  async carryVolumes(): Promise<readonly VolumeLeft[]> {
    return [];
  }

  async useNodes(): Promise<void> {}

  watch(wake: () => void): () => void {
    const stop = new AbortController();
    void this.#watch(wake, AbortSignal.any([stop.signal, this.#closed.signal]));
    return () => stop.abort();
  }

  async run(job: JobSpec, signal: AbortSignal): Promise<JobExit> {
    const { id } = job;
    const body = { ...job, environment: revealEnvironment(job.environment) };
    const patience = { signal, patienceMs: jobPatienceMs };
    try {
      for (;;) {
        signal.throwIfAborted();
        await this.#connection.call({ method: 'POST', path: '/jobs', body, ...patience });
        try {
          const exit = await this.#connection.call<StoredExit>({ method: 'GET', path: jobPath(id), ...patience });
          await this.#connection.call({ method: 'DELETE', path: jobPath(id), ...patience });
          return jobExitFromWire(exit);
        } catch (error) {
          // Removed between the two questions: it is said again, as for any agent that lost it.
          if (!(error instanceof BerthError && error.kind === 'not-found')) throw error;
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error;
      await this.#connection.call({ method: 'DELETE', path: jobPath(id) });
      throw new BerthError('cancelled', 'the job was cancelled', { cause: error });
    }
  }

  async kill(id: string): Promise<void> {
    await this.#connection.call({ method: 'POST', path: `${jobPath(id)}/kill` });
  }

  jobs(): Promise<readonly string[]> {
    return this.#connection.call({ method: 'GET', path: '/jobs' });
  }

  async #watch(wake: () => void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const stream = await this.#connection.stream('/watch', signal);
        for await (const _chunk of stream) wake();
      } catch (error) {
        if (signal.aborted) return;
        this.#logger.debug({ error }, 'the agent’s changes are out of sight; trying again');
      }
      await delay(rewatchMs);
    }
  }
}

const instance = (id: string): string => `/instances/${encodeURIComponent(id)}`;
const jobPath = (id: string): string => `/jobs/${encodeURIComponent(id)}`;
