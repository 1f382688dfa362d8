import type { Actor } from '../access/actor.ts';
import type { AppView } from '../apps/app.ts';
import { fetchApp } from '../apps/app-access.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { LogBatches, LogReadOptions, LogStore } from '../ports/log-store.ts';

export const appLogStream = (appId: string): string => `apps/${appId}`;

export class LogService {
  readonly #context: CoreContext;
  readonly #logs: LogStore;
  constructor(context: CoreContext, logs: LogStore) {
    this.#context = context;
    this.#logs = logs;
  }

  /** Checks who asks, then gives the app and its lines. */
  async read(actor: Actor, reference: string, options: LogReadOptions): Promise<{ app: AppView; lines: LogBatches }> {
    const app = await fetchApp(this.#context.db, actor, reference, 'app.read.log');
    return { app, lines: await this.#logs.read(appLogStream(app.id), options) };
  }

  /** A line of the platform's own in an app's log. */
  async note(appId: string, text: string): Promise<void> {
    await this.#logs.append(appLogStream(appId), [
      { at: this.#context.clock.now(), source: 'platform', process: '', instance: '', seat: '', text },
    ]);
  }
}
