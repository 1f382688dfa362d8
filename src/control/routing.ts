/** Makes the routing table from rows and gives it to the router. Callers await `publish` to know that the router works by what they wrote. */
import type { AppView } from '../core/apps/app.ts';
import type { Domain } from '../core/domains/domain.ts';
import type { Instance } from '../core/instances/instance.ts';
import type { Route, RouteApp, RoutingTable } from '../core/ports/router.ts';
import type { ControlContext } from './control-context.ts';

const PAGE = 1_000;

/** Pure: rows to table. Instances without an address get no requests. */
export function routingTable(
  version: number,
  baseDomain: string,
  apps: readonly AppView[],
  instances: readonly Instance[],
  domains: readonly Domain[],
): RoutingTable {
  const targets = new Map<string, RouteApp['targets'][number][]>();
  for (const { id, appId, host, port, processType } of instances) {
    if (host === null || port === null) continue;
    const list = targets.get(appId) ?? [];
    list.push({ id, host, port, processType });
    targets.set(appId, list);
  }
  const known = new Set(apps.map((app) => app.id as string));
  const defaults = apps.map(
    (app): Route => ({ host: `${app.handle}.${baseDomain}`, pathPrefix: '/', replacePrefix: null, appId: app.id }),
  );
  const own = domains
    .filter((domain) => known.has(domain.appId))
    .map(
      (domain): Route => ({
        host: domain.hostname,
        pathPrefix: domain.pathPrefix,
        replacePrefix: domain.replacePrefix,
        appId: domain.appId,
      }),
    );
  return {
    version,
    routes: [...defaults, ...own],
    apps: apps.map(
      (app): RouteApp => ({
        appId: app.id,
        handle: app.handle,
        mode: app.maintenance ? 'maintenance' : 'serving',
        targets: targets.get(app.id) ?? [],
      }),
    ),
    certificates: [],
  };
}

export class RoutingPublisher {
  readonly #context: ControlContext;
  readonly #baseDomain: string;
  #lastVersion = 0;
  #stale = true;
  #running: Promise<void> | null = null;
  #queued: Promise<void> | null = null;

  constructor(context: ControlContext, baseDomain: string) {
    this.#context = context;
    this.#baseDomain = baseDomain;
  }

  /** Resolves when the router works by a table that was read after this call. Calls that overlap share one table. */
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

  /** Publishes only when the router may not have what is in the rows: the last time failed. */
  async settle(): Promise<void> {
    if (this.#stale) await this.publish();
  }

  async #apply(): Promise<void> {
    this.#stale = true;
    const { db, clock, router } = this.#context;
    // Microseconds, so that a table made after a restart is newer than any before it.
    this.#lastVersion = Math.max(this.#lastVersion + 1, clock.now().getTime() * 1_000);
    const version = this.#lastVersion;
    const [apps, instances, domains] = await Promise.all([this.#apps(), db.instances.routable(), db.domains.all()]);
    await router.apply(routingTable(version, this.#baseDomain, apps, instances, domains));
    this.#stale = false;
  }

  async #apps(): Promise<AppView[]> {
    const apps: AppView[] = [];
    let after: string | null = null;
    do {
      const page: Awaited<ReturnType<ControlContext['db']['apps']['list']>> = await this.#context.db.apps.list(
        'all',
        {},
        { limit: PAGE, ...(after === null ? {} : { after }) },
      );
      apps.push(...page.items);
      after = page.next;
    } while (after !== null);
    return apps;
  }
}
