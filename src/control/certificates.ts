import type { Database } from '../core/ports/database.ts';
import type { RouteCertificate } from '../core/ports/router.ts';
import type { Logger } from '../lib/logger.ts';

/** The certificates of all domains, for the router. One whose key cannot be opened is left out: the others go on. */
export async function routeCertificates(db: Database, logger: Logger): Promise<readonly RouteCertificate[]> {
  const certificates: RouteCertificate[] = [];
  for (const { hostname, certificatePem, privateKeyPem } of await db.certificates.served()) {
    if (privateKeyPem === null)
      logger.warn(
        { domain: hostname },
        "a domain's certificate is not served: its key was sealed with another secret key",
      );
    else certificates.push({ hosts: [hostname], certificatePem, privateKeyPem: privateKeyPem.reveal() });
  }
  return certificates;
}
