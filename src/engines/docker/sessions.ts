/** Commands inside running instances, and the streams of one-offs that somebody attaches to. */
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { conflict, notFound } from '../../core/errors.ts';
import type { ExecSession, ExecSpec, InstanceExit, TerminalSize } from '../../core/ports/engine.ts';
import type { DockerApi } from './api/docker-api.ts';
import { isStatus } from './api/docker-error.ts';
import type { ExecDetails } from './api/shapes.ts';
import { sizedCommand } from './container-body.ts';
import type { Identity } from './identity.ts';
import type { NodeHelper } from './node-helper.ts';
import { openSession } from './session.ts';
import { signalOfCode } from './signals.ts';

export interface SessionsParts {
  readonly api: DockerApi;
  readonly helper: NodeHelper;
  readonly now: () => Date;
  readonly knowsConsoleSize: () => Promise<boolean>;
}

const exitPollMs = 10;
const longestPollMs = 250;
const pidTries = 500;
/** Arguments: the signal without SIG, the process. Each exec is a group and a session of its own. */
const killGroup = 'kill -s "$1" -- "-$2" 2>/dev/null || kill -s "$1" "$2"';

export class Sessions {
  readonly #parts: SessionsParts;
  /** Streams of one-offs that were opened before the first byte and wait for whoever attaches. */
  readonly #held = new Map<string, { readonly socket: Socket; readonly head: Buffer }>();

  readonly #own = new Set<string>();

  constructor(parts: SessionsParts) {
    this.#parts = parts;
  }

  close(): void {
    for (const { socket } of this.#held.values()) socket.destroy();
    this.#held.clear();
  }

  /** To be said before the container starts, so that nothing it prints is missed. */
  async hold(id: string, container: string): Promise<void> {
    this.#own.add(id);
    this.#held.set(id, await this.#attach(container));
  }

  /** Whether its streams are, or were, with this client. */
  holds(id: string): boolean {
    return this.#own.has(id);
  }

  forget(id: string): void {
    this.#held.get(id)?.socket.destroy();
    this.#held.delete(id);
    this.#own.delete(id);
  }

  /** `ended` resolves with how the instance ended. */
  async attach(
    { id, terminal, interactive }: Identity,
    container: string,
    ended: () => Promise<InstanceExit>,
    signal: (name: string) => Promise<void>,
  ): Promise<ExecSession> {
    if (!interactive)
      throw conflict('not-attachable', 'it was started without stdin, so there is nothing to attach to');
    const held = this.#held.get(id);
    this.#held.delete(id);
    // One that was held when its daemon was lost is no use any more.
    const { socket, head } = held?.socket.destroyed === false ? held : await this.#attach(container);
    return openSession({
      socket,
      head,
      terminal,
      exit: ended,
      resize: (size) => this.#resize(`/containers/${container}`, size),
      kill: signal,
      abandon: () => {},
    });
  }

  async exec(identity: Identity, container: string, spec: ExecSpec): Promise<ExecSession> {
    const { api } = this.#parts;
    const { terminal } = spec;
    const knows = terminal === undefined || (await this.#parts.knowsConsoleSize());
    const wraps = terminal !== undefined && !knows && identity.own;
    const added = Object.entries(spec.environment ?? {}).map(([name, value]) => `${name}=${value.reveal()}`);
    const size = terminal === undefined || !knows ? {} : { ConsoleSize: [terminal.rows, terminal.columns] };
    const body = {
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: terminal === undefined,
      Tty: terminal !== undefined,
      Cmd: wraps ? sizedCommand(terminal.columns, terminal.rows, spec.command) : spec.command,
      Env: [...(terminal === undefined ? [] : ['TERM=xterm-256color']), ...added],
      ...size,
    };
    const { Id } = await this.#create(container, body);
    const tty = terminal !== undefined;
    const { socket, head } = await api.upgrade(`/exec/${Id}/start`, { body: { Detach: false, Tty: tty, ...size } });
    if (terminal !== undefined && !knows && !wraps) await this.#resize(`/exec/${Id}`, terminal);
    const kill = (signal: string): Promise<void> => this.#killExec(Id, signal);
    return openSession({
      socket,
      head,
      terminal: tty,
      exit: () => this.#execExit(Id),
      resize: (wanted) => this.#resize(`/exec/${Id}`, wanted),
      kill,
      abandon: () => void kill('SIGKILL').catch(() => {}),
    });
  }

  async #create(container: string, body: object): Promise<{ Id: string }> {
    try {
      return await this.#parts.api.call<{ Id: string }>('POST', `/containers/${container}/exec`, { body });
    } catch (error) {
      if (isStatus(error, 404)) throw notFound('instance');
      if (isStatus(error, 409)) throw conflict('not-running', 'the instance does not run', 'instance');
      throw error;
    }
  }

  #attach(container: string): Promise<{ socket: Socket; head: Buffer }> {
    const query = { stream: true, stdin: true, stdout: true, stderr: true };
    return this.#parts.api.upgrade(`/containers/${container}/attach`, { query });
  }

  async #resize(path: string, { columns, rows }: TerminalSize): Promise<void> {
    try {
      await this.#parts.api.call('POST', `${path}/resize`, { query: { w: columns, h: rows } });
    } catch (error) {
      // It is over, or not there yet: a size is no reason to fail.
      if (!isStatus(error, 404, 409, 500)) throw error;
    }
  }

  /** Docker may not know the process yet when its first output is there already, nor whether it began at all. */
  async #killExec(exec: string, signal: string): Promise<void> {
    const { api, helper } = this.#parts;
    for (let tries = 0; tries < pidTries; tries++) {
      const { Running, Pid, ExitCode } = await api.call<ExecDetails>('GET', `/exec/${exec}/json`);
      if (!Running && ExitCode !== null) return;
      if (Running && Pid > 1)
        return void (await helper.run(killGroup, signal.replace(/^SIG/, ''), String(Pid)).catch(() => {}));
      await delay(exitPollMs);
    }
  }

  /** Docker has the code a moment after the streams end. */
  async #execExit(exec: string): Promise<InstanceExit> {
    for (let wait = exitPollMs; ; wait = Math.min(wait * 2, longestPollMs)) {
      const { Running, ExitCode } = await this.#parts.api.call<ExecDetails>('GET', `/exec/${exec}/json`);
      if (!Running && ExitCode !== null) return this.#exit(ExitCode);
      await delay(wait);
    }
  }

  /** A command's own code above 128 cannot be told from a signal here; people and shells read it as one. */
  #exit(exitCode: number): InstanceExit {
    const signal = signalOfCode(exitCode);
    return {
      code: signal === null ? exitCode : null,
      signal,
      outOfMemory: false,
      timedOut: false,
      startError: null,
      at: this.#parts.now(),
    };
  }
}
