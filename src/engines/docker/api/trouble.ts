/** Why a daemon does not answer, in words for whoever set it up. */
import { type BerthError, unavailable } from '../../../core/errors.ts';
import type { Endpoint } from './endpoint.ts';

const material = 'BERTH_DOCKER_TLS, or what the node was added with';
/** Sources: OpenSSL's X509_V_ERR_* as Node names them (tls, "X509 certificate error codes"), and its names of TLS alerts. */
const words: readonly (readonly [form: RegExp, says: string])[] = [
  [
    /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_.*|CERT_SIGNATURE_FAILURE|CERT_UNTRUSTED)$/,
    `its certificate is not of the CA that was given (${material})`,
  ],
  [/^CERT_(?:HAS_EXPIRED|NOT_YET_VALID)$/, 'its certificate is not valid now'],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    'its certificate is for another address (the name in BERTH_DOCKER_HOST, or the node’s address)',
  ],
  [
    /^ERR_SSL_(?:TLSV13_ALERT_CERTIFICATE_REQUIRED|.*ALERT_(?:UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_\w+|HANDSHAKE_FAILURE|ACCESS_DENIED))$/,
    `it refuses the client certificate (${material})`,
  ],
  [
    /^(?:EPROTO|ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST))$/,
    'it does not speak TLS: start dockerd with --tlsverify',
  ],
];

/** `error` of the connection becomes `unavailable`; for TLS the message names the setting that would help. */
export function troubleOf(error: unknown, endpoint: Endpoint): BerthError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const why = words.find(([form]) => form.test(code))?.[1];
  if (why === undefined || endpoint.kind === 'unix') return unavailable('the Docker daemon does not answer', error);
  return unavailable(`the Docker daemon at ${endpoint.host}:${endpoint.port} does not answer: ${why}`, error);
}
