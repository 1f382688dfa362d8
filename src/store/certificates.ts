import type { Kysely } from 'kysely';
import type { CertificateStore } from '../core/certificates/certificate.ts';
import type { Secret, SecretBox } from '../core/ports/secret.ts';
import { toRow } from './columns.ts';
import type { Schema } from './schema.ts';

const columns = [
  'certificates.domain_id as domainId',
  'certificates.certificate_pem as certificatePem',
  'certificates.subject',
  'certificates.issuer',
  'certificates.fingerprint',
  'certificates.key_type as keyType',
  'certificates.valid_from as validFrom',
  'certificates.valid_until as validUntil',
  'certificates.created_at as createdAt',
] as const;

const contextOf = (domainId: string): string => `certificate/${domainId}`;

/** Certificates; their keys are sealed on the way in and opened only for the router. */
export function createCertificateStore(db: Kysely<Schema>, box: SecretBox): CertificateStore {
  const open = (sealed: Uint8Array, domainId: string): Secret | null => {
    try {
      return box.open(sealed, contextOf(domainId));
    } catch {
      return null;
    }
  };
  return {
    list: (appId) =>
      db
        .selectFrom('certificates')
        .innerJoin('domains', 'domains.id', 'certificates.domain_id')
        .select(columns)
        .where('domains.app_id', '=', appId)
        .execute(),
    async served() {
      const rows = await db
        .selectFrom('certificates')
        .innerJoin('domains', 'domains.id', 'certificates.domain_id')
        .innerJoin('apps', 'apps.id', 'domains.app_id')
        .distinctOn('domains.hostname')
        .select([
          'domains.hostname',
          'certificates.domain_id as domainId',
          'certificates.certificate_pem as certificatePem',
          'certificates.private_key as privateKey',
        ])
        .where('apps.deleted_at', 'is', null)
        .orderBy('domains.hostname')
        .orderBy((by) => by.fn('length', ['domains.path_prefix']))
        .orderBy('domains.created_at')
        .orderBy('domains.id')
        .execute();
      return rows.map(({ hostname, domainId, certificatePem, privateKey }) => ({
        hostname,
        certificatePem,
        privateKeyPem: open(privateKey, domainId),
      }));
    },
    async set({ privateKeyPem, ...shown }) {
      const row = { ...toRow(shown), private_key: box.seal(privateKeyPem, contextOf(shown.domainId)) };
      await db
        .insertInto('certificates')
        .values(row)
        .onConflict((known) => known.column('domain_id').doUpdateSet(row))
        .execute();
    },
    async remove(domainId) {
      await db.deleteFrom('certificates').where('domain_id', '=', domainId).execute();
    },
  };
}
