/**
 * One running thing, instance or job, from spawn to the last trace of it: its outermost process, all members below, output and end.
 * It lives on when the agent dies; `adopt` takes it over again from its state file.
 */
import type { ChildProcess } from 'node:child_process';
import { chownSync, closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../core/ports/clock.ts';
import type { LogLine, LogSource, LogStore } from '../../core/ports/log-store.ts';
import { start } from '../../lib/exec.ts';
import type { Logger } from '../../lib/logger.ts';
import { readExitFile } from './exit-file.ts';
import type { FifoStock } from './fifos.ts';
import type { InnerScript } from './inner-script.ts';
import { LogPump } from './log-pump.ts';
import type { Machine } from './machine.ts';
import { innerPid, isAlive, pidsMarked, processStat, signalProcess, treeOf } from './proc.ts';
import { helperEnvironment, markName } from './settings.ts';
import { exitOf } from './unit-exit.ts';
import { type StopReason, type UnitState, writeState } from './unit-state.ts';

export interface UnitServices {
  readonly machine: Machine;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly fifos: FifoStock;
  readonly logAppender: Pick<LogStore, 'append'>;
  /** Called after anything about a unit changed. */
  readonly changed: () => void;
}

export interface Launch {
  /** From sandbox-arguments.ts, ending in `/bin/sh -s -- …`. */
  readonly argv: readonly string[];
  readonly script: InnerScript;
  readonly cwd: string;
  readonly terminal: boolean;
}

const adoptedPollMs = 150;
const drainMs = 2_000;
const ownDepth = innerPid(process.pid)?.depth ?? 1;

export class Unit {
  readonly folder: string;
  /** Settles when nothing of it is left and its end is on disk. */
  readonly ended: Promise<void>;
  /** The attached streams of an interactive unit. */
  child: ChildProcess | null = null;
  #state: UnitState;
  readonly #services: UnitServices;
  readonly #resolveEnded: () => void;
  #pump: LogPump | null = null;
  #memoryKills = 0;
  #memoryKillAt = Number.NEGATIVE_INFINITY;
  #deadline: NodeJS.Timeout | null = null;
  #letGo = false;

  constructor(services: UnitServices, folder: string, state: UnitState) {
    this.#services = services;
    this.folder = folder;
    this.#state = state;
    let resolve = (): void => {};
    this.ended = new Promise((done) => {
      resolve = done;
    });
    this.#resolveEnded = resolve;
    if (state.exit !== null) resolve();
  }

  get state(): UnitState {
    return this.#state;
  }

  get phase(): 'starting' | 'running' | 'stopping' | 'exited' {
    if (this.#state.exit !== null) return 'exited';
    if (this.#state.stopReason !== null) return 'stopping';
    return this.#state.process === null ? 'starting' : 'running';
  }

  update(change: Partial<UnitState>): void {
    this.#state = { ...this.#state, ...change };
    writeState(this.folder, this.#state);
    this.#services.changed();
  }

  /** Spawns it. The working copy and network are ready; the state file is on disk, so a kill from here on leaves no orphan unknown. */
  async launch(plan: Launch): Promise<void> {
    const { interactive, uid } = this.#state;
    const fifo = join(this.folder, 'output');
    if (!interactive) await this.#services.fifos.take(fifo);
    if (this.#state.stopReason !== null) return this.#finish();
    if (!interactive && uid !== null) chownSync(fifo, uid, uid);
    // Read and write: the app itself keeps the pipe alive, so it meets no broken pipe while no agent reads.
    const output = interactive ? null : openSync(fifo, constants.O_RDWR);
    const exit = openSync(join(this.folder, 'exit'), 'w', 0o600);
    try {
      const child = start(plan.argv, {
        environment: { ...helperEnvironment, [markName]: this.#state.id },
        cwd: plan.cwd,
        ownGroup: true,
        stdio: [
          'pipe',
          output ?? 'pipe',
          output ?? 'pipe',
          exit,
          ...(interactive ? (['pipe'] as const) : []),
          ...(plan.terminal ? (['pipe'] as const) : []),
        ],
      });
      this.child = child;
      child.once('error', (error) => this.fail(`it could not be started: ${error.message}`));
      child.once('exit', () => void this.#finish());
      child.stdin?.on('error', () => {});
      child.stdin?.end(plan.script.text);
      if (!interactive) this.#read(fifo);
      if (child.pid !== undefined) {
        const startTicks = processStat(child.pid)?.startTicks ?? '';
        this.update({ process: { pid: child.pid, startTicks }, startedAt: this.#services.clock.now().toISOString() });
      }
    } finally {
      if (output !== null) closeSync(output);
      closeSync(exit);
    }
    this.#watchDeadline();
  }

  /** Takes over after a restart of the agent: goes on reading and waiting, or cleans up what cannot be taken over. */
  async adopt(): Promise<void> {
    const { process: outer, interactive } = this.#state;
    if (this.#state.exit !== null) return;
    if (outer === null || interactive) {
      // Killed between spawn and notice, or its streams went with the old agent.
      this.#state = { ...this.#state, stopReason: this.#state.stopReason ?? 'stop' };
      return this.#finish();
    }
    if (!isAlive(outer.pid, outer.startTicks)) return this.#finish();
    this.#memoryKills = this.#services.machine.cgroups?.outOfMemoryKills(this.#state.id) ?? 0;
    this.#read(join(this.folder, 'output'));
    this.#watchDeadline();
    void this.#pollUntilGone(outer);
  }

  /** Every process of it, the sandbox's own helpers included. */
  members(): number[] {
    const { cgroups } = this.#services.machine;
    const outer = this.#state.process;
    const found = new Set(cgroups?.pids(this.#state.id));
    // Without groups there is only the mark; and what a killed agent had just spawned may not have joined its group.
    if (cgroups === null || outer === null) for (const pid of pidsMarked(markName, this.#state.id)) found.add(pid);
    if (outer !== null && isAlive(outer.pid, outer.startTicks)) for (const pid of treeOf(outer.pid)) found.add(pid);
    return [...found].filter((pid) => !'ZX'.includes(processStat(pid)?.state ?? 'X'));
  }

  /** The app's processes: without the sandbox's monitor and its first process, which would take the app along without grace. */
  appMembers(): number[] {
    const outer = this.#state.process?.pid;
    return this.members().filter((pid) => {
      if (pid === outer) return false;
      const inner = innerPid(pid);
      return inner === null || inner.depth <= ownDepth || inner.pid !== 1;
    });
  }

  get hasStarted(): boolean {
    return readExitFile(join(this.folder, 'exit')).started;
  }

  signal(signal: NodeJS.Signals): void {
    for (const pid of this.appMembers()) signalProcess(pid, signal);
  }

  /** SIGTERM, then SIGKILL after `graceMs`; resolves when nothing is left. */
  async stop(graceMs: number, reason: StopReason): Promise<void> {
    if (this.#state.exit !== null) return;
    if (this.#state.stopReason === null) this.update({ stopReason: reason });
    // Before the app itself runs there is nobody to be gentle with.
    if (graceMs > 0 && this.hasStarted) {
      this.signal('SIGTERM');
      const cancel = new AbortController();
      await Promise.race([this.ended, delay(graceMs, undefined, { signal: cancel.signal }).catch(() => {})]);
      cancel.abort();
    }
    if (this.#state.exit === null && this.#state.process !== null) await this.#sweep();
    await this.ended;
  }

  /** Ends a unit that never ran, with words for its owner. */
  fail(startError: string): void {
    if (this.#state.exit !== null) return;
    const at = this.#services.clock.now().toISOString();
    const exit = {
      code: null,
      signal: null,
      outOfMemory: false,
      timedOut: false,
      diskExceeded: false,
      outputExceeded: false,
    };
    this.update({ exit: { ...exit, startError, at } });
    this.#services.machine.cgroups?.remove(this.#state.id);
    this.#resolveEnded();
  }

  /** The agent ends, the unit does not: nothing of it is touched from here on. */
  letGo(): void {
    this.#letGo = true;
    if (this.#deadline !== null) clearTimeout(this.#deadline);
    this.#pump?.close();
    this.child?.unref();
  }

  /** Looks for kills of the kernel for memory; called now and then, and at the end. */
  checkMemory(): void {
    const kills = this.#services.machine.cgroups?.outOfMemoryKills(this.#state.id) ?? 0;
    if (kills > this.#memoryKills) this.noteMemoryKill();
    this.#memoryKills = kills;
  }

  noteMemoryKill(): void {
    this.#memoryKillAt = this.#services.clock.monotonicMs();
    const mebibytes = Math.round(this.#state.limits.memoryBytes / 2 ** 20);
    this.say(`Error R15 (Memory quota vastly exceeded): killed at its limit of ${mebibytes} MiB`);
  }

  /** A line of the platform's own in the unit's log. */
  say(text: string): void {
    const line: LogLine = { ...this.#line(text), source: 'platform' };
    this.#services.logAppender
      .append(this.#state.log.stream, [line])
      .catch((error: unknown) => this.#services.logger.warn({ error, unit: this.#state.id }, 'a log line was lost'));
  }

  #line(text: string): LogLine {
    const { id, kind, processType, seat, log } = this.#state;
    const at = this.#services.clock.now();
    const instance = kind === 'job' ? '' : id;
    return { at, source: log.source as LogSource, process: processType, instance, seat: seat ?? '', text };
  }

  #read(fifo: string): void {
    const { log, id } = this.#state;
    this.#pump = new LogPump({
      fd: openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK),
      append: (lines) => this.#services.logAppender.append(log.stream, lines),
      line: (text) => this.#line(text),
      logger: this.#services.logger.child({ unit: id }),
      maxBytes: log.maxBytes,
      onOverflow: () => void this.stop(0, 'output'),
    });
  }

  #watchDeadline(): void {
    if (this.#state.deadline === null) return;
    const left = new Date(this.#state.deadline).getTime() - this.#services.clock.now().getTime();
    const end = (): void => void this.stop(this.#state.kind === 'job' ? 0 : this.#state.graceMs, 'timeout');
    this.#deadline = setTimeout(end, Math.min(Math.max(left, 0), 2 ** 31 - 1));
  }

  async #pollUntilGone(outer: { readonly pid: number; readonly startTicks: string }): Promise<void> {
    while (!this.#letGo && isAlive(outer.pid, outer.startTicks)) await delay(adoptedPollMs);
    await this.#finish();
  }

  /** Kills until nothing is left: a process may fork while it is being looked for. */
  async #sweep(): Promise<void> {
    for (let wait = 2; ; wait = Math.min(wait * 2, 100)) {
      const left = this.members();
      if (left.length === 0) return;
      for (const pid of left) signalProcess(pid, 'SIGKILL');
      await delay(wait);
    }
  }

  async #finish(): Promise<void> {
    if (this.#letGo) return;
    if (this.#deadline !== null) clearTimeout(this.#deadline);
    await this.#sweep();
    if (this.#pump !== null) {
      const cancel = new AbortController();
      await Promise.race([this.#pump.done, delay(drainMs, undefined, { signal: cancel.signal }).catch(() => {})]);
      cancel.abort();
      this.#pump.close();
    }
    if (this.#state.exit !== null) return;
    this.checkMemory();
    const { clock, machine, logger } = this.#services;
    const recentMemoryKill = clock.monotonicMs() - this.#memoryKillAt < 5_000;
    const record = readExitFile(join(this.folder, 'exit'));
    const exit = exitOf({
      record,
      stopReason: this.#state.stopReason,
      recentMemoryKill,
      at: clock.now().toISOString(),
    });
    if (machine.cgroups?.remove(this.#state.id) === false) {
      logger.debug({ unit: this.#state.id }, 'a control group stays until its last page is gone');
    }
    this.update({ exit });
    this.#resolveEnded();
  }
}
