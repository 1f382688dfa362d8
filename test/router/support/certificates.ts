/** Self-signed certificates made by the openssl program for one test run; nothing of the kind lies in the repository. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { RouteCertificate } from '../../../src/core/ports/router.ts';
import { run } from '../../../src/lib/exec.ts';
import { temporaryFolder } from './router-harness.ts';

const onP256 = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];

/** A certificate for the hosts and two days from now, or null after skipping the test where openssl is missing. */
export async function makeCertificate(
  t: TestContext,
  hosts: readonly string[],
  newKey: readonly string[] = onP256,
): Promise<RouteCertificate | null> {
  const folder = await temporaryFolder(t);
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const argv = ['openssl', 'req', '-x509', '-newkey', ...newKey, '-nodes', '-days', '2'];
  argv.push('-keyout', key, '-out', certificate, '-subj', `/CN=${hosts[0]}`);
  argv.push('-addext', `subjectAltName=${hosts.map((host) => `DNS:${host}`).join(',')}`);
  try {
    const result = await run(argv, { environment: { PATH: '/usr/local/bin:/usr/bin:/bin' }, timeoutMs: 20_000 });
    if (result.code !== 0) throw new Error(result.stderr);
  } catch (error) {
    if (process.env.CI === 'true' || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    t.skip('needs openssl');
    return null;
  }
  return {
    hosts,
    certificatePem: await readFile(certificate, 'utf8'),
    privateKeyPem: await readFile(key, 'utf8'),
  };
}
