import type { Actor } from '../access/actor.ts';
import { fetchApp } from '../apps/app-access.ts';
import { invalid, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { hostname } from '../names.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Domain } from './domain.ts';

export interface AddDomain {
  readonly hostname: string;
  /** `/` unless only a part of the host leads to the app. */
  readonly pathPrefix?: string;
  /** Put in the prefix's place before the app sees the path; null leaves it. */
  readonly replacePrefix?: string | null;
}

const path = /^\/(?:[A-Za-z0-9_.~!$&'()*+,;=:@%-]+(?:\/|$))*$/;

/** Host names of apps beside the default one. They take effect in the router with the commit. */
export class DomainService {
  readonly #context: CoreContext;
  /** Names below it belong to the platform: an app has its own there already. */
  readonly #baseDomain: string;
  constructor(context: CoreContext, baseDomain: string) {
    this.#context = context;
    this.#baseDomain = baseDomain;
  }

  async list(actor: Actor, reference: string): Promise<readonly Domain[]> {
    const app = await fetchApp(this.#context.db, actor, reference, 'app.read.info');
    return this.#context.db.domains.list(app.id);
  }

  /** Throws conflict `domain-exists` when any app has the host and path; invalid `reserved` for the platform's own names. */
  async add(actor: Actor, reference: string, input: AddDomain): Promise<Domain> {
    const { db, clock, ids } = this.#context;
    const app = await fetchApp(db, actor, reference, 'app.update.cname.add');
    const name = hostname(input.hostname.toLowerCase(), 'domain');
    if (name === this.#baseDomain || name.endsWith(`.${this.#baseDomain}`))
      throw invalid('domain', `names below ${this.#baseDomain} are the platform's`, 'reserved');
    const pathPrefix = checkPath('path', input.pathPrefix ?? '/');
    const replacePrefix = input.replacePrefix == null ? null : checkPath('target path', input.replacePrefix);
    const domain: Domain = {
      id: ids.id(),
      appId: app.id,
      hostname: name,
      pathPrefix,
      replacePrefix,
      createdAt: clock.now(),
    };
    await db.transaction(async (stores) => {
      await stores.domains.insert(domain);
      await record(this.#context, stores, actor, 'DomainAdded', { app }, { domain: name, path: pathPrefix });
      await stores.wake('routing', app.id);
    });
    return domain;
  }

  /** By id or host name; another app's answers as not there. */
  async remove(actor: Actor, reference: string, domainReference: string): Promise<Domain> {
    const { db } = this.#context;
    const app = await fetchApp(db, actor, reference, 'app.update.cname.remove');
    const domain = (await db.domains.list(app.id)).find(
      (item) => item.id === domainReference || item.hostname === domainReference.toLowerCase(),
    );
    if (domain === undefined) throw notFound('domain', domainReference);
    await db.transaction(async (stores) => {
      await stores.domains.remove(domain.id);
      await record(this.#context, stores, actor, 'DomainRemoved', { app }, { domain: domain.hostname });
      await stores.wake('routing', app.id);
    });
    return domain;
  }
}

function checkPath(field: string, value: string): string {
  if (!path.test(value) || value.length > 1_024)
    throw invalid(field, `the ${field} must start with / and hold no spaces, queries or empty segments`, 'malformed');
  return value;
}
