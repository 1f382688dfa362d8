/** Removes the repositories of apps that are gone: when it hears of a deletion, and at every start for those it did not hear of. */
import type { Database } from '../core/ports/database.ts';
import type { Logger } from '../lib/logger.ts';
import type { Repositories } from './repositories.ts';

export class RepositorySweep {
  readonly #repositories: Repositories;
  readonly #db: Pick<Database, 'apps' | 'onWake'>;
  readonly #logger: Logger;
  #unlisten: (() => void) | null = null;

  constructor(repositories: Repositories, db: Pick<Database, 'apps' | 'onWake'>, logger: Logger) {
    this.#repositories = repositories;
    this.#db = db;
    this.#logger = logger;
  }

  start(): void {
    this.#unlisten = this.#db.onWake((topic, id) => {
      if (id === '*') void this.#sweep();
      else if (topic === 'app' && this.#repositories.has(id)) void this.#look(id);
    });
    void this.#sweep();
  }

  stop(): void {
    this.#unlisten?.();
  }

  async #sweep(): Promise<void> {
    try {
      for (const id of await this.#repositories.list()) await this.#look(id);
    } catch (error) {
      this.#logger.warn({ err: error }, 'the folder of git repositories could not be read');
    }
  }

  async #look(id: string): Promise<void> {
    try {
      const app = await this.#db.apps.findAny(id);
      if (app !== null && app.deletedAt === null) return;
      await this.#repositories.remove(id);
    } catch (error) {
      this.#logger.warn(
        { err: error, app: id },
        'the git repository of an app could not be removed; the next start tries again',
      );
    }
  }
}
