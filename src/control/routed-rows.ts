/** What the routing table and the table of links are made of, read together. */
import type { App, AppView } from '../core/apps/app.ts';
import type { Domain } from '../core/domains/domain.ts';
import type { Instance } from '../core/instances/instance.ts';
import type { Database } from '../core/ports/database.ts';
import type { Process } from '../core/processes/process.ts';

export interface RoutedRows {
  readonly apps: readonly Pick<App, 'id' | 'handle' | 'spaceId' | 'maintenance'>[];
  /** The ready ones. */
  readonly instances: readonly Instance[];
  readonly domains: readonly Domain[];
  readonly linked: readonly Pick<Process, 'appId' | 'pod' | 'links'>[];
  /** Of every process that a domain or a link leads to; `pod` is the one that it is in. */
  readonly ports: readonly Pick<Process, 'appId' | 'type' | 'pod' | 'ports'>[];
}

const PAGE = 1_000;

export async function readRoutedRows(db: Database): Promise<RoutedRows> {
  // One after the other: what an idle platform reads each time must not keep a connection for each.
  const apps = await allApps(db);
  const instances = await db.instances.routable();
  const domains = await db.domains.all();
  const linked = await db.processes.linked();
  const precise = [...domains.filter((domain) => domain.processType !== null), ...linked];
  const appIds = [...new Set(precise.map((row) => row.appId))];
  return { apps, instances, domains, linked, ports: appIds.length === 0 ? [] : await db.processes.portsOf(appIds) };
}

async function allApps(db: Database): Promise<AppView[]> {
  const apps: AppView[] = [];
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<Database['apps']['list']>> = await db.apps.list(
      'all',
      {},
      { limit: PAGE, ...(after === null ? {} : { after }) },
    );
    apps.push(...page.items);
    after = page.next;
  } while (after !== null);
  return apps;
}
