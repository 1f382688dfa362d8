import type { Id } from '../names.ts';
import type { Secret } from '../ports/secret.ts';

/** A domain's own certificate, with its key. The router shows it to whoever asks for the domain by TLS. */
export interface Certificate {
  readonly domainId: Id<'domain'>;
  /** The domain's own certificate first, then those that lead to its root. */
  readonly certificatePem: string;
  /** PKCS #8; sealed at rest. */
  readonly privateKeyPem: Secret;
  /** Distinguished name, e.g. `C=FR, O=Example, CN=example.org`. */
  readonly subject: string;
  readonly issuer: string;
  /** SHA-256 of the certificate, hex pairs with colons. */
  readonly fingerprint: string;
  /** Kind and size of the key, e.g. `rsa 2048`, `ec prime256v1`, `ed25519`. */
  readonly keyType: string;
  readonly validFrom: Date;
  readonly validUntil: Date;
  readonly createdAt: Date;
}

/** As shown: never with the key. */
export type CertificateView = Omit<Certificate, 'privateKeyPem'>;

/** What the router needs of a certificate. */
export interface ServedCertificate {
  readonly hostname: string;
  readonly certificatePem: string;
  /** Null when it cannot be opened with the platform's key of now. */
  readonly privateKeyPem: Secret | null;
}

export interface CertificateStore {
  /** Of an app's domains; without keys. */
  list(appId: Id<'app'>): Promise<readonly CertificateView[]>;
  /** Of every app that is not being deleted. A host whose paths have several has that of the shortest path. */
  served(): Promise<readonly ServedCertificate[]>;
  /** Puts it in the place of the domain's last one. */
  set(certificate: Certificate): Promise<void>;
  remove(domainId: Id<'domain'>): Promise<void>;
}
