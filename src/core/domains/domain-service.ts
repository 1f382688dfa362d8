import type { Actor } from '../access/actor.ts';
import type { AppView } from '../apps/app.ts';
import { fetchApp } from '../apps/app-access.ts';
import type { CertificateView } from '../certificates/certificate.ts';
import { removeCertificate, setCertificate } from '../certificates/change-certificate.ts';
import { type CertificateInput, checkCertificate } from '../certificates/check-certificate.ts';
import { notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import type { Permission } from '../permissions.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Domain } from './domain.ts';
import { type AddDomain, newDomain } from './new-domain.ts';

/** A domain with its own certificate, if it has one; never with the key. */
export interface DomainView extends Domain {
  readonly certificate: CertificateView | null;
}

/** Host names of apps beside the default one, and their certificates. They take effect in the router with the commit. */
export class DomainService {
  readonly #context: CoreContext;
  /** Names below it belong to the platform: an app has its own there already. */
  readonly #baseDomain: string;
  constructor(context: CoreContext, baseDomain: string) {
    this.#context = context;
    this.#baseDomain = baseDomain;
  }

  async list(actor: Actor, reference: string): Promise<readonly DomainView[]> {
    const app = await fetchApp(this.#context.db, actor, reference, 'app.read.info');
    return this.#views(app);
  }

  /** By id or host name; another app's answers as not there. */
  async get(actor: Actor, reference: string, domainReference: string): Promise<DomainView> {
    return (await this.#find(actor, reference, domainReference, 'app.read.info')).domain;
  }

  /**
   * Throws conflict `domain-exists` when any app has the host and path; invalid `reserved` for the platform's own names, and as
   * `checkCertificate` does for a certificate that comes with it: then nothing is added.
   */
  async add(actor: Actor, reference: string, input: AddDomain, certificate?: CertificateInput): Promise<DomainView> {
    const { db, clock } = this.#context;
    const app = await fetchApp(db, actor, reference, 'app.update.cname.add');
    if (certificate !== undefined) await fetchApp(db, actor, reference, 'app.update.certificate.set');
    const domain = newDomain(this.#context, this.#baseDomain, app.id, input);
    const checked = certificate && checkCertificate(domain.hostname, certificate, clock.now());
    return db.transaction(async (stores) => {
      await stores.domains.insert(domain);
      await record(
        this.#context,
        stores,
        actor,
        'DomainAdded',
        { app },
        { domain: domain.hostname, path: domain.pathPrefix, certificate: checked !== undefined },
      );
      await stores.wake('routing', app.id);
      if (checked === undefined) return { ...domain, certificate: null };
      return { ...domain, certificate: await setCertificate(this.#context, stores, actor, app, domain, checked, true) };
    });
  }

  /** By id or host name; another app's answers as not there. Its certificate goes with it. */
  async remove(actor: Actor, reference: string, domainReference: string): Promise<Domain> {
    const { app, domain } = await this.#find(actor, reference, domainReference, 'app.update.cname.remove');
    await this.#context.db.transaction(async (stores) => {
      await stores.domains.remove(domain.id);
      await record(this.#context, stores, actor, 'DomainRemoved', { app }, { domain: domain.hostname });
      await stores.wake('routing', app.id);
    });
    return domain;
  }

  /** In place of the one it had, if any. Throws `invalid` as `checkCertificate` does. */
  async setCertificate(
    actor: Actor,
    reference: string,
    domainReference: string,
    input: CertificateInput,
  ): Promise<DomainView> {
    const { app, domain } = await this.#find(actor, reference, domainReference, 'app.update.certificate.set');
    const checked = checkCertificate(domain.hostname, input, this.#context.clock.now());
    const certificate = await this.#context.db.transaction((stores) =>
      setCertificate(this.#context, stores, actor, app, domain, checked, false),
    );
    return { ...domain, certificate };
  }

  /** The domain stays; without a certificate nothing changes. */
  async removeCertificate(actor: Actor, reference: string, domainReference: string): Promise<DomainView> {
    const { app, domain } = await this.#find(actor, reference, domainReference, 'app.update.certificate.unset');
    await this.#context.db.transaction((stores) => removeCertificate(this.#context, stores, actor, app, domain));
    return { ...domain, certificate: null };
  }

  async #views(app: AppView): Promise<readonly DomainView[]> {
    const { domains, certificates } = this.#context.db;
    const [list, own] = await Promise.all([domains.list(app.id), certificates.list(app.id)]);
    const byDomain = new Map(own.map((certificate) => [certificate.domainId, certificate]));
    return list.map((domain) => ({ ...domain, certificate: byDomain.get(domain.id) ?? null }));
  }

  async #find(
    actor: Actor,
    reference: string,
    domainReference: string,
    permission: Permission,
  ): Promise<{ app: AppView; domain: DomainView }> {
    const app = await fetchApp(this.#context.db, actor, reference, permission);
    const domain = (await this.#views(app)).find(
      (item) => item.id === domainReference || item.hostname === domainReference.toLowerCase(),
    );
    if (domain === undefined) throw notFound('domain', domainReference);
    return { app, domain };
  }
}
