/** Makes the engine's table of links from rows and gives it to the engine. Called by the routing publisher, which reads the rows. */
import { linkTarget } from '../core/instances/link-target.ts';
import type { Engine, LinkRoute } from '../core/ports/engine.ts';
import { processAddresses } from './process-addresses.ts';
import type { RoutedRows } from './routed-rows.ts';

/** An engine that lost its table has it again after so long. */
const AGAIN_MS = 30_000;

/**
 * Pure: a route for each process and port that some process of the same app links to, always in the same order. Members of one pod need
 * none: they meet at localhost.
 */
export function linkTable(rows: Pick<RoutedRows, 'apps' | 'instances' | 'linked' | 'ports'>): readonly LinkRoute[] {
  const addresses = processAddresses(rows);
  const spaces = new Map(rows.apps.map((app) => [app.id as string, app.spaceId]));
  const pods = new Map(rows.ports.map((process) => [linkTarget(process.appId, process.type), process.pod]));
  const routes = new Map<string, LinkRoute>();
  for (const { appId, pod, links } of rows.linked) {
    const spaceId = spaces.get(appId);
    if (spaceId === undefined) continue;
    for (const { processType, port } of links) {
      const target = linkTarget(appId, processType);
      const key = `${target}:${port}`;
      if (routes.has(key) || (pod !== null && pods.get(target) === pod)) continue;
      const backends = addresses(appId, processType, port).map((at) => ({ host: at.host, port: at.port }));
      routes.set(key, { target, spaceId, port, backends });
    }
  }
  return [...routes].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, route]) => route);
}

export class LinkPublisher {
  readonly #engine: Pick<Engine, 'routeLinks'>;
  /** What the engine has, as text; null when that is not known. */
  #published: string | null = null;
  #publishedMs = 0;
  #epoch = 0;

  constructor(engine: Pick<Engine, 'routeLinks'>) {
    this.#engine = engine;
  }

  /** Resolves when the engine works by a table of these rows. What it has already is not said again. */
  async publish(rows: RoutedRows): Promise<void> {
    const routes = linkTable(rows);
    const text = JSON.stringify(routes);
    if (text === this.#published && performance.now() - this.#publishedMs < AGAIN_MS) return;
    const epoch = this.#epoch;
    this.#published = null;
    await this.#engine.routeLinks(routes);
    if (epoch !== this.#epoch) return;
    this.#published = text;
    this.#publishedMs = performance.now();
  }

  /** Somebody else may have told the engine something since. */
  forget(): void {
    this.#epoch += 1;
    this.#published = null;
  }
}
