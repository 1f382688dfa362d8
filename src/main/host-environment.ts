/**
 * What of the machine's own environment every instance and build gets: where its certificates lie and which proxy leads out. Without it, a
 * build behind a company's proxy could fetch nothing.
 */
import { resolve } from 'node:path';

const certificateNames = [
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'CURL_CA_BUNDLE',
  'REQUESTS_CA_BUNDLE',
  'PIP_CERT',
  'GIT_SSL_CAINFO',
];
const proxyNames = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'];
/** Folders that every sandbox shows. A name that leads anywhere else would break what it is to help. */
const shownFolders = ['/etc/ssl/', '/etc/pki/', '/usr/'];

/** Pure. Proxies that carry credentials are left out: every app could read them. */
export function hostEnvironment(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const chosen: Record<string, string> = {};
  for (const name of certificateNames) {
    const path = environment[name];
    if (path !== undefined && shownFolders.some((folder) => `${resolve(path)}/`.startsWith(folder)))
      chosen[name] = path;
  }
  for (const name of proxyNames.flatMap((upper) => [upper, upper.toLowerCase()])) {
    const value = environment[name];
    if (value !== undefined && value !== '' && !value.includes('@')) chosen[name] = value;
  }
  return chosen;
}
