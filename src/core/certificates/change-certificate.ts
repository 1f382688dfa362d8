/** Own certificates of domains, as DomainService offers them. The keys never come out again but for the router. */
import type { Actor } from '../access/actor.ts';
import type { App } from '../apps/app.ts';
import type { Domain } from '../domains/domain.ts';
import { record } from '../events/record.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Stores } from '../ports/database.ts';
import type { CertificateView } from './certificate.ts';
import type { CheckedCertificate } from './check-certificate.ts';

/** What an event says of the app. */
type AppOfEvent = Pick<App, 'id' | 'teamId' | 'spaceId' | 'handle'>;

/** In the caller's transaction: puts a checked certificate in the place of the domain's last one. `withDomain`: the domain is added now. */
export async function setCertificate(
  context: CoreContext,
  stores: Stores,
  actor: Actor,
  app: AppOfEvent,
  domain: Domain,
  { privateKeyPem, ...shown }: CheckedCertificate,
  withDomain: boolean,
): Promise<CertificateView> {
  const view: CertificateView = { ...shown, domainId: domain.id, createdAt: context.clock.now() };
  const replaced = (await stores.certificates.list(app.id)).some((item) => item.domainId === domain.id);
  await stores.certificates.set({ ...view, privateKeyPem });
  const { subject, validUntil } = view;
  const data = { domain: domain.hostname, subject, validUntil: validUntil.toISOString(), replaced, withDomain };
  await record(context, stores, actor, 'CertificateSet', { app }, data);
  await stores.wake('routing', app.id);
  return view;
}

/** In the caller's transaction; a domain without one is left as it is. */
export async function removeCertificate(
  context: CoreContext,
  stores: Stores,
  actor: Actor,
  app: AppOfEvent,
  domain: Domain,
): Promise<void> {
  if (!(await stores.certificates.list(app.id)).some((item) => item.domainId === domain.id)) return;
  await stores.certificates.remove(domain.id);
  await record(context, stores, actor, 'CertificateRemoved', { app }, { domain: domain.hostname });
  await stores.wake('routing', app.id);
}
