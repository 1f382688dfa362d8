/**
 * Encryption at rest: AES-256-GCM with a random nonce, the context as associated data, and one byte that says which key sealed it.
 * Layout: version (1 byte) · key id (1) · nonce (12) · tag (16) · cipher text.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 2;
const KEY_BYTES = 32;

/** A text that shows itself only when asked. */
export interface Revealing {
  reveal(): string;
}

export interface SealingBox<S extends Revealing> {
  seal(plain: S, context: string): Uint8Array;
  /** Throws when the bytes were changed, or sealed for another context or with another key. */
  open(sealed: Uint8Array, context: string): S;
  /** HMAC-SHA-256 of a text with a key derived for this use, hex. */
  digest(plain: string): string;
}

/**
 * A box over one 32-byte key; `wrap` makes the secret type that `open` hands out. Throws a TypeError for a key of another length.
 */
export function createSecretBox<S extends Revealing>(key: Buffer, wrap: (text: string) => S): SealingBox<S> {
  if (key.length !== KEY_BYTES) throw new TypeError(`the key must have ${KEY_BYTES} bytes`);
  const sealingKey = Buffer.from(hkdfSync('sha256', key, '', 'berth seal', KEY_BYTES));
  const digestKey = Buffer.from(hkdfSync('sha256', key, '', 'berth digest', KEY_BYTES));
  const header = Buffer.from([VERSION, Buffer.from(hkdfSync('sha256', key, '', 'berth key id', 1))[0] ?? 0]);
  const bound = (context: string): Buffer => Buffer.concat([header, Buffer.from(context, 'utf8')]);
  return {
    seal(plain, context) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', sealingKey, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(bound(context));
      const body = Buffer.concat([cipher.update(plain.reveal(), 'utf8'), cipher.final()]);
      return Buffer.concat([header, nonce, cipher.getAuthTag(), body]);
    },
    open(sealed, context) {
      const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
      if (bytes.length < HEADER_BYTES + NONCE_BYTES + TAG_BYTES) throw new Error('a sealed value is cut short');
      if (!bytes.subarray(0, HEADER_BYTES).equals(header)) throw new Error('a value was sealed with another key');
      const nonce = bytes.subarray(HEADER_BYTES, HEADER_BYTES + NONCE_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', sealingKey, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(bound(context));
      const bodyAt = HEADER_BYTES + NONCE_BYTES + TAG_BYTES;
      decipher.setAuthTag(bytes.subarray(HEADER_BYTES + NONCE_BYTES, bodyAt));
      const body = Buffer.concat([decipher.update(bytes.subarray(bodyAt)), decipher.final()]);
      return wrap(body.toString('utf8'));
    },
    digest: (plain) => createHmac('sha256', digestKey).update(plain, 'utf8').digest('hex'),
  };
}

/**
 * The key kept as hex in a file of mode 0600; made at the first call, durable before it is handed out. Callers that start at once get
 * the same key. Throws when the file holds something else than a key.
 */
export async function loadOrCreateKey(path: string): Promise<Buffer> {
  const known = await readKey(path);
  if (known !== null) return known;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(`${randomBytes(KEY_BYTES).toString('hex')}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    // A link never replaces a file, so of several starters one wins.
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await unlink(draft);
  }
  const folder = await open(dirname(path), 'r');
  await folder.sync().finally(() => folder.close());
  const key = await readKey(path);
  if (key === null) throw new Error(`the key file ${path} vanished`);
  return key;
}

async function readKey(path: string): Promise<Buffer | null> {
  try {
    const text = (await readFile(path, 'utf8')).trim();
    if (!/^[0-9a-f]{64}$/.test(text)) throw new Error(`${path} does not hold a key of ${KEY_BYTES} bytes in hex`);
    return Buffer.from(text, 'hex');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
