/**
 * An engine without processes, for tests of everything above it: instances are behaviours in memory with a real HTTP listener each. It
 * can be told to be slow, to fail and to lose its node.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { BerthError, conflict, notFound } from '../../core/errors.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type {
  Engine,
  EngineDescription,
  EngineInstance,
  ExecSession,
  ExecSpec,
  InstanceExit,
  InstanceSpec,
  InstanceStats,
  LinkRoute,
  NodeSpec,
  VolumeLeft,
} from '../../core/ports/engine.ts';
import type { LogSource, LogStore } from '../../core/ports/log-store.ts';
import type { JobExit, JobSpec, Sandbox } from '../../core/ports/sandbox.ts';
import type { Environment } from '../../core/ports/secret.ts';
import { type Behaviour, listens, succeeds } from './behaviour.ts';
import { ownNodeId, SimulatedNodes } from './simulated-nodes.ts';
import { SimulatedRun } from './simulated-run.ts';
import { SimulatedVolumes, usersOf } from './simulated-volumes.ts';

export interface SimulatedEngineOptions {
  readonly clock: Clock;
  readonly logAppender: Pick<LogStore, 'append'>;
  /** The behaviour of a command; undefined takes the default: instances listen, execs and jobs end well. */
  readonly behaviour?: (argv: readonly string[]) => Behaviour | undefined;
}

interface Held {
  readonly spec: InstanceSpec;
  /** '' where no node takes it. */
  readonly nodeId: string;
  readonly run: SimulatedRun;
  state: EngineInstance['state'];
  port: number | null;
  startedAt: Date | null;
}

export class SimulatedEngine implements Engine, Sandbox {
  readonly #options: SimulatedEngineOptions;
  readonly #instances = new Map<string, Held>();
  readonly #jobs = new Map<string, SimulatedRun>();
  readonly #wakers = new Set<() => void>();
  readonly #volumes = new SimulatedVolumes();
  readonly #nodes = new SimulatedNodes();
  #links: readonly LinkRoute[] = [];
  #slowMs = 0;
  #failures: string[] = [];

  constructor(options: SimulatedEngineOptions) {
    this.#options = options;
  }

  /** From now on a start stays `starting` for so long. */
  slow(ms: number): void {
    this.#slowMs = ms;
  }

  /** The next start fails with this `startError`; several calls fail several starts. */
  failNext(reason: string): void {
    this.#failures.push(reason);
  }

  /** Ends an instance as if it had died by itself; by default with code 1. */
  crash(id: string, exit: Partial<InstanceExit> = { code: 1 }): void {
    this.#held(id).run.end(exit);
  }

  /** The table of links that was told last: nothing connects through it. */
  get links(): readonly LinkRoute[] {
    return this.#links;
  }

  /** Whether the instance's HTTP answers are 200 or 503. */
  setReady(id: string, ready: boolean): void {
    this.#held(id).run.ready = ready;
  }

  /** The one node there is without a table goes dark; starts are refused until `returnNode`. */
  loseNode(): void {
    this.fail(ownNodeId);
  }

  returnNode(): void {
    this.heal(ownNodeId);
  }

  /** A node goes dark: its instances are gone from the list, and nothing is started there until `heal`. */
  fail(nodeId: string): void {
    this.#nodes.fail(nodeId);
    this.#forget([nodeId]);
  }

  /** A node is out of reach until `heal`: its instances are out of the list, and run on. */
  cut(nodeId: string): void {
    this.#nodes.fail(nodeId);
    this.#changed();
  }

  heal(nodeId: string): void {
    this.#nodes.heal(nodeId);
    this.#changed();
  }

  /** Ids of what mounts a volume and has not ended, also where nobody reaches it. */
  usersOf(volumeId: string): readonly string[] {
    return usersOf(volumeId, this.#living()).map(({ spec }) => spec.id);
  }

  /** Nodes of this address do not join, and say why; null lifts it. */
  obstruct(address: string, why: string | null): void {
    this.#nodes.obstruct(address, why);
    this.#changed();
  }

  /** The table of nodes that was told last. */
  get nodes(): readonly NodeSpec[] {
    return this.#nodes.table;
  }

  /** Ends everything. */
  close(): void {
    for (const { run } of this.#instances.values()) run.end({ signal: 'SIGKILL' });
    for (const run of this.#jobs.values()) run.end({ signal: 'SIGKILL' });
    this.#instances.clear();
    this.#wakers.clear();
  }

  async describe(): Promise<EngineDescription> {
    const kinds = ['user', 'files', 'processes', 'network', 'memory', 'cpu', 'pids'] as const;
    return {
      kind: 'simulated',
      nodes: this.#nodes.describe(),
      isolation: kinds.map((what) => ({ what, inForce: false, how: 'nothing runs' })),
    };
  }

  async start(spec: InstanceSpec): Promise<EngineInstance> {
    const known = this.#instances.get(spec.id);
    if (known !== undefined) return show(known);
    const living = this.#living();
    const placement = this.#nodes.place(spec, living, (id) => this.#volumes.on(id));
    if (this.#nodes.table.length === 0 && 'refused' in placement)
      throw new BerthError('unavailable', placement.refused);
    const { command } = spec;
    const words = typeof command === 'object' && 'arguments' in command ? (command.arguments ?? []) : command;
    const run = new SimulatedRun({
      command: words,
      environment: reveal(spec.environment),
      behaviour: this.#behaviour(words, listens),
      terminal: spec.terminal !== undefined,
      answer: spec.ports.length === 0 ? null : `${spec.appHandle} ${spec.processType} ${spec.id}\n`,
      now: () => this.#options.clock.now(),
    });
    const nodeId = 'nodeId' in placement ? placement.nodeId : '';
    const held: Held = { spec, nodeId, run, state: 'starting', port: null, startedAt: null };
    this.#instances.set(spec.id, held);
    void run.ended.then(() => {
      held.state = 'exited';
      this.#changed();
    });
    const obstacle = 'refused' in placement ? placement.refused : this.#volumes.bring(spec, nodeId, living);
    const failure = obstacle ?? this.#failures.shift();
    if (failure !== undefined) run.end({ startError: failure });
    else void this.#begin(held);
    this.#changed();
    return show(held);
  }

  async stop(id: string, graceMs: number): Promise<void> {
    const held = this.#instances.get(id);
    if (held === undefined || held.run.exit !== null || !this.#isInReach(held)) return;
    held.state = 'stopping';
    this.#changed();
    await held.run.stop(graceMs);
  }

  async remove(id: string): Promise<void> {
    await this.stop(id, 0);
    const held = this.#instances.get(id);
    if (held === undefined || !this.#isInReach(held)) return;
    this.#instances.delete(id);
    this.#changed();
  }

  async list(): Promise<readonly EngineInstance[]> {
    return [...this.#instances.values()].filter(this.#isInReach).map(show);
  }

  async stats(ids: readonly string[]): Promise<readonly InstanceStats[]> {
    const at = this.#options.clock.now();
    return ids.flatMap((id) => {
      const held = this.#instances.get(id);
      if (held?.state !== 'running') return [];
      const used = 16 * 2 ** 20;
      const limitBytes = held.spec.limits.memoryBytes;
      return [
        {
          id,
          at,
          memory: { usageBytes: used, residentBytes: used, cacheBytes: 0, limitBytes },
          cpu: { userSeconds: 0, systemSeconds: 0 },
          pids: 1,
          network: null,
        },
      ];
    });
  }

  async exec(id: string, spec: ExecSpec): Promise<ExecSession> {
    const held = this.#held(id);
    if (held.state !== 'running') throw conflict('not-running', 'the instance does not run', 'instance');
    const run = new SimulatedRun({
      command: spec.command,
      environment: { ...reveal(held.spec.environment), ...reveal(spec.environment) },
      behaviour: this.#behaviour(spec.command, succeeds),
      terminal: spec.terminal !== undefined,
      answer: null,
      now: () => this.#options.clock.now(),
    });
    void run.start();
    return run.session();
  }

  async attach(id: string): Promise<ExecSession> {
    const { spec, run } = this.#held(id);
    if (!isInteractive(spec)) throw conflict('not-interactive', 'this instance was started without stdin', 'instance');
    return run.session();
  }

  async signal(id: string, signal: string): Promise<void> {
    this.#held(id).run.signal(signal);
  }

  async routeLinks(routes: readonly LinkRoute[]): Promise<void> {
    this.#links = routes;
  }

  async removeVolume(id: string): Promise<void> {
    if (this.usersOf(id).length > 0) throw conflict('volume-in-use', 'an instance mounts this volume', 'volume');
    this.#volumes.remove(id);
  }

  async volumes(): Promise<readonly string[]> {
    return this.#volumes.ids();
  }

  async carryVolumes(nodeId: string): Promise<readonly VolumeLeft[]> {
    const to = this.#nodes.neighbourOf(nodeId);
    const isStuck = to === null || !this.#nodes.isUp(nodeId);
    if (isStuck) return this.#volumes.on(nodeId).map((id) => ({ id, obstacle: 'it cannot be carried now' }));
    return this.#volumes.leave(nodeId, to, this.#living());
  }

  async useNodes(nodes: readonly NodeSpec[]): Promise<void> {
    const gone = this.#nodes.use(nodes);
    this.#volumes.giveUp(gone);
    this.#forget(gone);
  }

  watch(wake: () => void): () => void {
    this.#wakers.add(wake);
    return () => this.#wakers.delete(wake);
  }

  async run(job: JobSpec, signal: AbortSignal): Promise<JobExit> {
    let run = this.#jobs.get(job.id);
    if (run === undefined) {
      run = new SimulatedRun({
        command: job.command,
        environment: reveal(job.environment),
        behaviour: this.#behaviour(job.command, succeeds),
        terminal: false,
        answer: null,
        now: () => this.#options.clock.now(),
      });
      this.#jobs.set(job.id, run);
      this.#log(run, job.log.stream, job.log.source as LogSource, '', '');
      const timer = setTimeout(() => run?.end({ signal: 'SIGKILL', timedOut: true }), job.timeoutMs);
      void run.ended.then(() => clearTimeout(timer));
      void run.start();
    }
    const abort = (): void => run?.end({ signal: 'SIGKILL' });
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    const exit = await run.ended;
    signal.removeEventListener('abort', abort);
    this.#jobs.delete(job.id);
    if (signal.aborted) throw new BerthError('cancelled', 'the job was cancelled');
    return { ...exit, diskExceeded: false, outputExceeded: false };
  }

  async kill(id: string): Promise<void> {
    this.#jobs.get(id)?.end({ signal: 'SIGKILL' });
  }

  async jobs(): Promise<readonly string[]> {
    return [...this.#jobs].filter(([, run]) => run.exit === null).map(([id]) => id);
  }

  async #begin(held: Held): Promise<void> {
    const { spec, run } = held;
    if (this.#slowMs > 0) await delay(this.#slowMs);
    held.port = await run.port;
    if (run.exit !== null) return;
    held.state = held.state === 'stopping' ? 'stopping' : 'running';
    held.startedAt = this.#options.clock.now();
    this.#changed();
    if (!isInteractive(spec)) this.#log(run, `apps/${spec.appId}`, 'app', spec.processType, spec.id, spec.seat);
    if (spec.timeoutMs !== undefined) {
      const timer = setTimeout(() => run.end({ signal: 'SIGKILL', timedOut: true }), spec.timeoutMs);
      void run.ended.then(() => clearTimeout(timer));
    }
    await run.start();
  }

  #log(run: SimulatedRun, stream: string, source: LogSource, process: string, instance: string, seat = ''): void {
    for (const output of [run.stdout, run.stderr]) {
      let rest = '';
      const take = (texts: readonly string[]): void => {
        const at = this.#options.clock.now();
        const lines = texts.map((text) => ({ at, source, process, instance, seat, text }));
        if (lines.length > 0) void this.#options.logAppender.append(stream, lines);
      };
      output.setEncoding('utf8');
      output.on('data', (chunk: string) => {
        const texts = (rest + chunk).split('\n');
        rest = texts.pop() ?? '';
        take(texts);
      });
      output.on('end', () => take(rest === '' ? [] : [rest]));
    }
  }

  #behaviour(command: string | readonly string[], otherwise: Behaviour): Behaviour {
    const argv = typeof command === 'string' ? command.split(' ') : command;
    return this.#options.behaviour?.(argv) ?? otherwise;
  }

  #forget(nodeIds: readonly string[]): void {
    for (const [id, { run, nodeId }] of this.#instances) {
      if (!nodeIds.includes(nodeId)) continue;
      run.end({ signal: 'SIGKILL' });
      this.#instances.delete(id);
    }
    this.#changed();
  }

  #living(): readonly Held[] {
    return [...this.#instances.values()].filter(({ run }) => run.exit === null);
  }

  #isInReach = ({ nodeId }: Held): boolean => this.#nodes.isUp(nodeId);

  #held(id: string): Held {
    const held = this.#instances.get(id);
    if (held === undefined || !this.#isInReach(held)) throw notFound('instance');
    return held;
  }

  #changed(): void {
    for (const wake of this.#wakers) setImmediate(wake);
  }
}

const isInteractive = (spec: InstanceSpec): boolean =>
  spec.kind === 'one-off' && (spec.stdin === true || spec.terminal !== undefined);

function reveal(environment: Environment | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(environment ?? {}).map(([name, secret]) => [name, secret.reveal()]));
}

function show(held: Held): EngineInstance {
  const { spec, nodeId, state, port, startedAt, run } = held;
  return {
    id: spec.id,
    kind: spec.kind,
    appId: spec.appId,
    processType: spec.processType,
    generation: spec.generation,
    nodeId,
    state,
    address: port === null || state === 'starting' ? null : { host: '127.0.0.1', port },
    pid: null,
    startedAt,
    exit: run.exit,
  };
}
