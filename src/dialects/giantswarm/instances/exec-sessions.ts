/** The execs with a terminal that run through this server, so that their size can be changed while they do. */
import type { Id } from '../../../core/names.ts';
import type { ExecSession } from '../../../core/ports/engine.ts';

export interface RunningExec {
  readonly session: Pick<ExecSession, 'resize'>;
  readonly teamId: Id<'team'>;
  /** Of the seat. */
  readonly instance: string;
  /** Only who started it may steer it. */
  readonly startedBy: string;
}

export class ExecSessions {
  readonly #running = new Map<string, RunningExec>();

  /** Known under the id until the function that it gives is called. */
  add(id: string, exec: RunningExec): () => void {
    this.#running.set(id, exec);
    return () => void this.#running.delete(id);
  }

  find(id: string): RunningExec | undefined {
    return this.#running.get(id);
  }
}
