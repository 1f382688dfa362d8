/** The keys by which clients know this server again: one of each kind, made at the first boot, kept for ever, readable by us alone. */
import { generateKeyPair } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Ids } from '../../core/ports/clock.ts';
import { opensshEd25519 } from './openssh-key.ts';

const generate = promisify(generateKeyPair);

const kinds: Readonly<Record<string, (ids: Ids) => Promise<string>>> = {
  ed25519: async (ids) => {
    const { privateKey } = await generate('ed25519');
    return opensshEd25519(privateKey, Number.parseInt(ids.token(4), 16));
  },
  ecdsa: async () =>
    (await generate('ec', { namedCurve: 'P-256' })).privateKey.export({ type: 'sec1', format: 'pem' }).toString(),
  rsa: async () =>
    (await generate('rsa', { modulusLength: 3072 })).privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
};

/** The private keys as PEM, those that are missing made. Safe for two servers at once: the first to write a file wins. */
export async function loadOrCreateHostKeys(folder: string, ids: Ids): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return Promise.all(
    Object.entries(kinds).map(async ([kind, make]) => {
      const path = join(folder, `host-${kind}`);
      const known = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return null;
        throw error;
      });
      return known ?? keep(path, await make(ids), ids);
    }),
  );
}

/** Writes the key whole before it has its name. Gives what the file holds then. */
async function keep(path: string, text: string, ids: Ids): Promise<string> {
  const part = `${path}.${ids.token(4)}`;
  const file = await open(part, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(part, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(part, { force: true });
  }
  return readFile(path, 'utf8');
}
