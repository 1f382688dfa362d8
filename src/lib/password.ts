/**
 * Passwords at rest: argon2id, self-describing in the PHC form `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. At most two are computed at once,
 * so that a burst of logins takes neither all cores nor all memory.
 */
import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';

const MEMORY_KIB = 19_456;
const PASSES = 2;
const LANES = 1;
const HASH_BYTES = 32;
const SALT_BYTES = 16;
const AT_ONCE = 2;
/** Bounds of what a stored hash may ask for, so that a planted row cannot exhaust the machine. */
const MAX_MEMORY_KIB = 262_144;
const MAX_PASSES = 16;
const MAX_LANES = 8;

let running = 0;
const waiting: (() => void)[] = [];

async function derive(parameters: Argon2Parameters): Promise<Buffer> {
  if (running < AT_ONCE) running += 1;
  else await new Promise<void>((resolve) => waiting.push(resolve));
  try {
    return await new Promise<Buffer>((resolve, reject) => {
      argon2('argon2id', parameters, (error, hash) => (error === null ? resolve(hash) : reject(error)));
    });
  } finally {
    // The place goes straight to the next in line.
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  }
}

const unpadded = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');

/** A new self-describing hash of a password (any UTF-8). */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive({
    message: password,
    nonce: salt,
    memory: MEMORY_KIB,
    passes: PASSES,
    parallelism: LANES,
    tagLength: HASH_BYTES,
  });
  return `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=${LANES}$${unpadded(salt)}$${unpadded(hash)}`;
}

const form = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,})\$([A-Za-z0-9+/]{16,})$/;

/**
 * Whether the password is the one behind the hash. False for null or a text that is no hash, after as much work as for a real one.
 */
export async function verifyPassword(password: string, stored: string | null): Promise<boolean> {
  const [, memory = 0, passes = 0, lanes = 0] = (form.exec(stored ?? '') ?? []).map(Number);
  const [, , , , salt = '', expected = ''] = form.exec(stored ?? '') ?? [];
  const known =
    memory >= 8 && memory <= MAX_MEMORY_KIB && passes >= 1 && passes <= MAX_PASSES && lanes >= 1 && lanes <= MAX_LANES;
  if (!known) {
    await hashPassword(password);
    return false;
  }
  const wanted = Buffer.from(expected, 'base64');
  const hash = await derive({
    message: password,
    nonce: Buffer.from(salt, 'base64'),
    memory,
    passes,
    parallelism: lanes,
    tagLength: wanted.length,
  });
  return timingSafeEqual(hash, wanted);
}

/** The same for callers that hold passwords as values which reveal themselves only when asked. */
export const passwordHasher = {
  hash: (password: { reveal(): string }): Promise<string> => hashPassword(password.reveal()),
  verify: (password: { reveal(): string }, stored: string | null): Promise<boolean> =>
    verifyPassword(password.reveal(), stored),
};
