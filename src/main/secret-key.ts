/** What seals the secrets of this install: the key of the settings, else the one in the data folder, which is made when it is missing. */
import { Secret, type SecretBox } from '../core/ports/secret.ts';
import { createSecretBox, loadOrCreateKey } from '../lib/secret-box.ts';
import type { DataFolder } from './data-folder.ts';
import type { Settings } from './settings.ts';

export async function secretBox(
  { secretKey }: Pick<Settings, 'secretKey'>,
  folder: Pick<DataFolder, 'key'>,
): Promise<SecretBox> {
  const key = secretKey === null ? await loadOrCreateKey(folder.key) : Buffer.from(secretKey.reveal(), 'hex');
  return createSecretBox(key, (text) => new Secret(text));
}
