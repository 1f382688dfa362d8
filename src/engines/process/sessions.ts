/** Execs and attached one-offs on the agent's side: the processes' own pipes, ways to resize and signal, and how it ended. */
import type { ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { BerthError, conflict } from '../../core/errors.ts';
import type { TerminalSize } from '../../core/ports/engine.ts';
import { start } from '../../lib/exec.ts';
import { execScript } from './inner-script.ts';
import { childrenOf, innerPid, pidsMarked, processEnvironment, signalProcess } from './proc.ts';
import { resizeLine, terminalCommand } from './pty-helper.ts';
import { enterArguments } from './sandbox-arguments.ts';
import { helperEnvironment, markName } from './settings.ts';
import type { Unit, UnitServices } from './unit.ts';
import type { StoredExit } from './unit-state.ts';
import type { PlainExecSpec } from './wire.ts';

export interface AgentSession {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Null with a terminal. */
  readonly stderr: Readable | null;
  readonly exit: Promise<StoredExit>;
  resize(size: TerminalSize): void;
  kill(signal: NodeJS.Signals): void;
  /** The client went away. */
  abandon(): void;
}

const execMark = 'BERTH_EXEC_ID';
const hangUpMs = 5_000;
const noFaults = { outOfMemory: false, timedOut: false, diskExceeded: false, outputExceeded: false };

/** The process that a running unit's command is, once the inner script has started it. */
function mainProcess(unit: Unit): number | null {
  const outer = unit.state.process?.pid;
  if (outer === undefined) return null;
  if (unit.state.mode === 'none') return childrenOf(outer)[0] ?? null;
  const wrapper = unit.members().find((pid) => pid !== outer && innerPid(pid)?.pid === 2);
  return wrapper === undefined ? null : (childrenOf(wrapper)[0] ?? null);
}

/** Waits a moment for a unit that is just starting. */
async function awaitMain(unit: Unit): Promise<number> {
  let found: number | null = null;
  for (let tries = 0; tries < 200 && (unit.phase === 'starting' || unit.phase === 'running'); tries++) {
    found = unit.hasStarted ? mainProcess(unit) : null;
    // Between fork and exec it still has the environment of the sandbox's shell, which knows no home.
    if (found !== null && processEnvironment(found)?.HOME !== undefined) return found;
    await delay(10);
  }
  if (found !== null) return found;
  throw conflict('not-running', 'the instance does not run', 'instance');
}

/** Runs a command beside the app, in its namespaces, as its user, within its limits. Rejects with conflict when it does not run. */
export async function openExec(
  unit: Unit,
  spec: PlainExecSpec,
  execId: string,
  services: UnitServices,
): Promise<AgentSession> {
  if (spec.command.length === 0) throw new BerthError('invalid', 'command is required', { field: 'command' });
  const main = await awaitMain(unit);
  const { mode, uid, ownNetwork, id } = unit.state;
  // Read back from the kernel, because the environment is kept nowhere else.
  const environment = { ...processEnvironment(main), ...spec.environment, [markName]: id, [execMark]: execId };
  const terminal = spec.terminal;
  const command = terminal === undefined ? spec.command : terminalCommand(terminal, spec.command);
  const script = execScript(terminal === undefined ? environment : { TERM: 'xterm-256color', ...environment }, command);
  const plan = {
    cgroupFolders: services.machine.cgroups?.folders(id) ?? [],
    mode,
    ownNetwork,
    pid: main,
    uid,
  };
  const child = start(enterArguments(plan, script.argv), {
    environment: { ...helperEnvironment, [markName]: id, [execMark]: execId },
    cwd: mode === 'none' ? `${unit.folder}/app` : '/',
    ownGroup: true,
    // Descriptor 3 is only used by units, but 4 and 5 must keep their numbers.
    stdio: ['pipe', 'pipe', 'pipe', 'ignore', 'pipe', ...(terminal === undefined ? [] : (['pipe'] as const))],
  });
  const { stdout, stderr } = child;
  const [stdin, control] = [pipe(child, 4), pipe(child, 5)];
  if (stdin === null || stdout === null || stderr === null) throw new BerthError('unavailable', 'no streams');
  child.stdin?.on('error', () => {});
  child.stdin?.end(script.text);
  stdin.on('error', () => {});
  control?.on('error', () => {});
  if (terminal !== undefined) stderr.resume();
  const exit = new Promise<StoredExit>((resolve) => {
    const at = (): string => services.clock.now().toISOString();
    child.once('error', (error) =>
      resolve({ ...noFaults, code: null, signal: null, startError: error.message, at: at() }),
    );
    child.once('exit', (code, signal) => {
      resolve({ ...noFaults, code, signal, startError: null, at: at() });
    });
  });
  // The one that entered the namespaces only waits; a signal to it would leave the command behind.
  const members = (): number[] => pidsMarked(execMark, execId).filter((pid) => mode === 'none' || pid !== child.pid);
  const kill = (signal: NodeJS.Signals): void => {
    for (const pid of members()) signalProcess(pid, signal);
  };
  let over = false;
  void exit.then(() => {
    over = true;
    kill('SIGKILL');
  });
  return {
    stdin,
    stdout,
    stderr: terminal === undefined ? stderr : null,
    exit,
    resize: (size) => {
      if (!over) control?.write(resizeLine(size));
    },
    kill,
    abandon: () => {
      if (over) return;
      stdout.resume();
      stderr.resume();
      stdin.end();
      kill('SIGHUP');
      const timer = setTimeout(() => kill('SIGKILL'), hangUpMs);
      void exit.then(() => clearTimeout(timer));
    },
  };
}

const attached = new WeakSet<Unit>();
const unattendedMs = 60_000;

/** Ends an interactive unit that nobody attaches to. */
export function endUnattended(unit: Unit): void {
  const timer = setTimeout(() => {
    if (!attached.has(unit)) void unit.stop(0, 'stop');
  }, unattendedMs);
  timer.unref();
  void unit.ended.then(() => clearTimeout(timer));
}

/** The streams of a one-off that was started with stdin or a terminal; one client at a time, and it ends with its client. */
export async function openAttach(unit: Unit): Promise<AgentSession> {
  if (!unit.state.interactive) throw conflict('not-interactive', 'this instance was started without stdin', 'instance');
  for (let tries = 0; tries < 1_000 && unit.child === null && unit.phase !== 'exited'; tries++) await delay(10);
  const { child } = unit;
  if (child === null) throw conflict('not-running', 'the instance does not run', 'instance');
  if (attached.has(unit)) throw conflict('attached', 'somebody else is attached', 'instance');
  attached.add(unit);
  const { stdout, stderr } = child;
  const [stdin, control] = [pipe(child, 4), pipe(child, 5)];
  if (stdin === null || stdout === null || stderr === null) throw new BerthError('unavailable', 'no streams');
  stdin.on('error', () => {});
  const terminal = control !== null;
  if (terminal) {
    control.on('error', () => {});
    stderr.resume();
  }
  return {
    stdin,
    stdout,
    stderr: terminal ? null : stderr,
    exit: unit.ended.then(() => unit.state.exit ?? { ...noFaults, code: null, signal: null, startError: null, at: '' }),
    resize: (size) => {
      if (terminal && unit.phase === 'running') control.write(resizeLine(size));
    },
    kill: (signal) => unit.signal(signal),
    abandon: () => {
      if (unit.phase === 'exited') return;
      stdout.resume();
      stderr.resume();
      stdin.end();
      unit.signal('SIGHUP');
      void unit.stop(unit.state.graceMs, 'stop');
    },
  };
}

/** A further pipe of a child by its descriptor; Node's types stop at five. */
function pipe(child: ChildProcess, descriptor: number): Writable | null {
  const streams: readonly unknown[] = child.stdio;
  const stream = streams[descriptor];
  return typeof stream === 'object' && stream !== null && 'write' in stream ? (stream as Writable) : null;
}
