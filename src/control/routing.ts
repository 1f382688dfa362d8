/**
 * Makes the routing table from rows and gives it to the router, and the table of links to the engine with it. Callers await `publish` to
 * know that both work by what they wrote.
 */
import type { Domain } from '../core/domains/domain.ts';
import type { Engine } from '../core/ports/engine.ts';
import type { Route, RouteBackend, RouteTarget, RoutingTable } from '../core/ports/router.ts';
import { routeCertificates } from './certificates.ts';
import type { ControlContext } from './control-context.ts';
import { LinkPublisher } from './links.ts';
import { type InstanceAddress, processAddresses } from './process-addresses.ts';
import { type RoutedRows, readRoutedRows } from './routed-rows.ts';

/**
 * Pure: rows to table. Every app has a backend of its routed instances, for its default host and the domains that name no process; a
 * domain that names one has a backend of that process's instances on that port. Instances without an address get no requests.
 */
export function routingTable(version: number, baseDomain: string, rows: RoutedRows): RoutingTable {
  const addresses = processAddresses(rows);
  const apps = new Map(rows.apps.map((app) => [app.id as string, app]));
  const backends = new Map<string, RouteBackend>();
  const routes: Route[] = [];
  const routed = routedTargets(rows);
  for (const app of rows.apps) {
    backends.set(app.id, backendOf(app, app.id, routed.get(app.id) ?? []));
    routes.push({ host: `${app.handle}.${baseDomain}`, pathPrefix: '/', replacePrefix: null, backend: app.id });
  }
  for (const domain of rows.domains) {
    const app = apps.get(domain.appId);
    if (app === undefined) continue;
    const { hostname: host, pathPrefix, replacePrefix, processType, port } = domain;
    const backend = backendId(domain);
    routes.push({ host, pathPrefix, replacePrefix, backend });
    if (processType === null || backends.has(backend)) continue;
    backends.set(backend, backendOf(app, backend, addresses(app.id, processType, port).map(targetAt)));
  }
  return { version, routes, backends: [...backends.values()], certificates: [] };
}

/** By app: its instances that get the requests to its default host. */
function routedTargets({ instances }: RoutedRows): ReadonlyMap<string, readonly RouteTarget[]> {
  const targets = new Map<string, RouteTarget[]>();
  for (const instance of instances) {
    const { appId, routed, host, port } = instance;
    if (!routed || host === null || port === null) continue;
    const list = targets.get(appId) ?? [];
    list.push(targetAt({ instance, host, port }));
    targets.set(appId, list);
  }
  return targets;
}

const backendId = ({ appId, processType, port }: Domain): string =>
  processType === null ? appId : `${appId}/${processType}:${port ?? ''}`;

const backendOf = (app: RoutedRows['apps'][number], id: string, targets: readonly RouteTarget[]): RouteBackend => ({
  id,
  appId: app.id,
  mode: app.maintenance ? 'maintenance' : 'serving',
  targets,
});

const targetAt = ({ instance: { id, processType }, host, port }: InstanceAddress): RouteTarget => ({
  id,
  host,
  port,
  processType,
});

type PublisherContext = Pick<ControlContext, 'db' | 'clock' | 'router' | 'logger'> & {
  readonly engine: Pick<Engine, 'routeLinks'>;
};

export class RoutingPublisher {
  readonly #context: PublisherContext;
  readonly #baseDomain: string;
  readonly #links: LinkPublisher;
  #lastVersion = 0;
  #stale = true;
  #running: Promise<void> | null = null;
  #queued: Promise<void> | null = null;

  constructor(context: PublisherContext, baseDomain: string) {
    this.#context = context;
    this.#baseDomain = baseDomain;
    this.#links = new LinkPublisher(context.engine);
  }

  /** Resolves when the router and the engine work by tables that were read after this call. Calls that overlap share one reading. */
  publish(): Promise<void> {
    if (this.#running === null) {
      this.#running = this.#apply().finally(() => {
        this.#running = null;
      });
      return this.#running;
    }
    this.#queued ??= this.#running
      .catch(() => {})
      .then(() => {
        this.#queued = null;
        return this.publish();
      });
    return this.#queued;
  }

  /** Publishes only when the router or the engine may not have what is in the rows: the last time failed. */
  async settle(): Promise<void> {
    if (this.#stale) await this.publish();
  }

  /** Another server may have published since: nothing of what was published counts. */
  forget(): void {
    this.#stale = true;
    this.#links.forget();
  }

  async #apply(): Promise<void> {
    this.#stale = true;
    const { db, clock, logger, router } = this.#context;
    // Microseconds, so that a table made after a restart is newer than any before it.
    this.#lastVersion = Math.max(this.#lastVersion + 1, clock.now().getTime() * 1_000);
    const version = this.#lastVersion;
    const rows = await readRoutedRows(db);
    const certificates = await routeCertificates(db, logger);
    // Neither waits for the other to be up.
    const outcomes = await Promise.allSettled([
      router.apply({ ...routingTable(version, this.#baseDomain, rows), certificates }),
      this.#links.publish(rows),
    ]);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    this.#stale = false;
  }
}
