/** What an add-on's role is called and signs in with. Both follow from the add-on alone, so that saying a verb again changes nothing. */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { Secret } from '../../core/ports/secret.ts';

/** The role and its database: random, since the add-on's id is. */
export const databaseName = (addonId: string): string => `addon_${addonId.replaceAll('-', '')}`;

/** 192 random bits as text that needs no escaping in a URL. */
export const passwordOf = (secret: Secret): Secret =>
  new Secret(createHmac('sha256', secret.reveal()).update('postgres password').digest('base64url').slice(0, 32));

const ITERATIONS = 4_096;
const KEY_BYTES = 32;

/**
 * What PostgreSQL keeps of a password (RFC 5803): given this instead of the password, neither its log nor its statistics ever see one.
 */
export function scramVerifier(secret: Secret): string {
  const salt = createHmac('sha256', secret.reveal()).update('postgres salt').digest().subarray(0, 16);
  const salted = pbkdf2Sync(passwordOf(secret).reveal(), salt, ITERATIONS, KEY_BYTES, 'sha256');
  const keyed = (text: string): Buffer => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(keyed('Client Key')).digest('base64');
  const serverKey = keyed('Server Key').toString('base64');
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}
