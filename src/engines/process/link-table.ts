/** Where links lead now, as the platform said last; kept on disk, so that it holds before the platform is there to say it again. */
import type { LinkRoute } from '../../core/ports/engine.ts';
import { readKept, writeKept } from './kept-file.ts';

export class LinkTable {
  readonly #path: string;
  #routes: readonly LinkRoute[];

  /** `path` of the JSON file. */
  constructor(path: string) {
    this.#path = path;
    this.#routes = readKept<readonly LinkRoute[]>(path) ?? [];
  }

  get routes(): readonly LinkRoute[] {
    return this.#routes;
  }

  replace(routes: readonly LinkRoute[]): void {
    writeKept(this.#path, routes);
    this.#routes = routes;
  }
}
