/** TLS material as Docker's own clients keep it: a folder with ca.pem, cert.pem and key.pem. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BerthError } from '../core/errors.ts';

/** Texts as they lie there. Throws invalid, by the name of the option or setting, when one is missing. */
export function readTlsFolder(
  folder: string,
  field: string,
): { readonly ca: string; readonly certificate: string; readonly key: string } {
  const read = (name: string): string => {
    try {
      return readFileSync(join(folder, name), 'utf8');
    } catch (cause) {
      throw new BerthError('invalid', `${field} must be a folder with ca.pem, cert.pem and key.pem`, { field, cause });
    }
  };
  return { ca: read('ca.pem'), certificate: read('cert.pem'), key: read('key.pem') };
}
