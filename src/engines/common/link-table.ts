/** Where links lead now, as the platform said last; kept on disk, so that it holds before the platform is there to say it again. */
import { isIPv4 } from 'node:net';
import { invalid } from '../../core/errors.ts';
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

  has(spaceId: string, target: string): boolean {
    return this.#routes.some((route) => route.spaceId === spaceId && route.target === target);
  }

  /** Throws invalid for a backend that is no IPv4 address and port; then the table stays as it was. */
  replace(routes: readonly LinkRoute[]): void {
    const isPort = (port: number): boolean => Number.isInteger(port) && port > 0 && port < 65_536;
    const isBackend = ({ host, port }: LinkRoute['backends'][number]): boolean => isIPv4(host) && isPort(port);
    if (!routes.every(({ port, backends }) => isPort(port) && backends.every(isBackend))) {
      throw invalid('routes', 'a link leads from a port to IPv4 addresses and ports', 'malformed');
    }
    writeKept(this.#path, routes);
    this.#routes = routes;
  }
}
