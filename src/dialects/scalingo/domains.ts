import type { CertificateInput } from '../../core/certificates/check-certificate.ts';
import type { DomainView } from '../../core/domains/domain-service.ts';
import { Secret } from '../../core/ports/secret.ts';
import { type Call, created, noContent, ok, param, type Route } from './call.ts';
import { domainShape } from './domain-shape.ts';
import { unprocessable } from './errors.ts';
import { type Fields, needed, rooted, said } from './fields.ts';
import { byShownId } from './ids.ts';
import type { ScalingoParts } from './settings.ts';

const DOMAINS_MAX = 5;
/** Switches of today's clients, without which the certificate stays as it is when a body names no certificate. */
const switches = ['canonical', 'letsencrypt', 'letsencrypt_enabled'] as const;

export function domainRoutes({ core }: ScalingoParts): readonly Route[] {
  async function find(call: Call): Promise<DomainView> {
    const domains = await core.domains.list(call.actor, param(call, 'app'));
    return byShownId('domain', domains, param(call, 'domain'));
  }

  async function add(call: Call) {
    const app = await core.apps.get(call.actor, param(call, 'app'));
    const fields = rooted(call.body, 'domain');
    checkSwitches(fields);
    const hostname = needed(fields, 'name');
    const certificate = certificateInput(fields);
    if ((await core.domains.list(call.actor, app.id)).length >= DOMAINS_MAX)
      throw unprocessable('name', `an application has at most ${DOMAINS_MAX} domains`);
    return created({ domain: domainShape(await core.domains.add(call.actor, app.id, { hostname }, certificate)) });
  }

  /** Older clients take a certificate away by naming none. */
  async function update(call: Call) {
    const domain = await find(call);
    const fields = rooted(call.body, 'domain');
    checkSwitches(fields);
    const certificate = certificateInput(fields);
    const names = 'tlscert' in fields || 'tlskey' in fields;
    if (certificate !== undefined)
      return ok({
        domain: domainShape(await core.domains.setCertificate(call.actor, domain.appId, domain.id, certificate)),
      });
    if (!names && switches.some((name) => name in fields)) return ok({ domain: domainShape(domain) });
    return ok({ domain: domainShape(await core.domains.removeCertificate(call.actor, domain.appId, domain.id)) });
  }

  const path = '/v1/apps/:app/domains';
  return [
    {
      method: 'GET',
      path,
      access: 'app.read.info',
      handle: async (call) =>
        ok({ domains: (await core.domains.list(call.actor, param(call, 'app'))).map(domainShape) }),
    },
    { method: 'POST', path, access: 'app.update.cname.add', handle: add },
    {
      method: 'GET',
      path: `${path}/:domain`,
      access: 'app.read.info',
      handle: async (call) => ok({ domain: domainShape(await find(call)) }),
    },
    { method: 'PATCH', path: `${path}/:domain`, access: 'app.update.certificate', handle: update },
    {
      method: 'DELETE',
      path: `${path}/:domain`,
      access: 'app.update.cname.remove',
      handle: async (call) => {
        const domain = await find(call);
        await core.domains.remove(call.actor, domain.appId, domain.id);
        return noContent;
      },
    },
  ];
}

/** Undefined when neither part is given. */
function certificateInput(fields: Fields): CertificateInput | undefined {
  const [certificatePem, privateKey] = [said(fields, 'tlscert'), said(fields, 'tlskey')];
  if (certificatePem === undefined && privateKey === undefined) return undefined;
  return { certificatePem: certificatePem ?? '', privateKeyPem: new Secret(privateKey ?? '') };
}

function checkSwitches(fields: Fields): void {
  const asked = switches.find((name) => fields[name] === true);
  if (asked !== undefined) throw unprocessable(asked, 'is not offered by this platform');
}
