import type { DomainView } from '../../core/domains/domain-service.ts';
import { shortId } from '../../core/names.ts';

/** With the certificate's subject and the kind of its key, never the key. */
export const domainShape = ({ id, appId, hostname, certificate }: DomainView) => ({
  id: shortId(id),
  app_id: shortId(appId),
  name: hostname,
  ssl: certificate !== null,
  ...(certificate === null
    ? {}
    : {
        tlscert: certificate.subject,
        tlskey: certificate.keyType,
        validity: certificate.validUntil.toISOString(),
      }),
  canonical: false,
  letsencrypt: false,
  letsencrypt_enabled: false,
  ssl_status: certificate === null ? 'pending' : 'success',
});
