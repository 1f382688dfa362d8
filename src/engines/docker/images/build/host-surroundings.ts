/**
 * What the steps of a build get of the machine's surroundings. Proxies are arguments that every Dockerfile has without naming them, and
 * that Docker keeps out of the history. The variables that lead to certificates reach steps whose Dockerfile names them by ARG; as foreign
 * images do not have the file, it is offered as a secret as well.
 */
import { readFileSync } from 'node:fs';
import { type Environment, Secret } from '../../../../core/ports/secret.ts';

/** No config variable can have this name. */
export const certificatesSecret = 'ca-certificates';

const bundleNames = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'CURL_CA_BUNDLE', 'REQUESTS_CA_BUNDLE'];
const largestSecretBytes = 500 * 1024;

type HostEnvironment = Readonly<Record<string, string>>;

export const hostArguments = (hostEnvironment: HostEnvironment): HostEnvironment => hostEnvironment;

/** PEM certificates that the machine trusts beside the well-known ones; none where it has none. */
export function hostSecrets(hostEnvironment: HostEnvironment): Environment {
  for (const name of bundleNames) {
    const path = hostEnvironment[name];
    if (path === undefined) continue;
    try {
      const text = readFileSync(path, 'utf8');
      if (text.length <= largestSecretBytes) return { [certificatesSecret]: new Secret(text) };
    } catch {
      // A variable that leads nowhere helps nobody, and a build may do without.
    }
  }
  return {};
}
