/** What an administrator's password, token and key must be like: every start refuses what can be guessed. */
import { BerthError } from '../core/errors.ts';
import type { Secret } from '../core/ports/secret.ts';
import type { Settings } from './settings.ts';

const PASSWORD_MIN = 12;
const TOKEN_MIN = 24;
const wellKnown = /^(admin|password|passw0rd|changeme|secret|letmein|berth|test|1234567890)/i;

/** Throws `invalid` for a known or short admin password or token. */
export function checkAdminSettings(settings: Settings): void {
  refuseWeak('BERTH_ADMIN_PASSWORD', settings.adminPassword, PASSWORD_MIN);
  refuseWeak('BERTH_ADMIN_TOKEN', settings.adminToken, TOKEN_MIN);
  const key = settings.secretKey?.reveal();
  if (key !== undefined && (!/^[0-9a-f]{64}$/i.test(key) || /^(.)\1*$/.test(key)))
    throw new BerthError(
      'invalid',
      'BERTH_SECRET_KEY must be 64 random hex digits; make them with: openssl rand -hex 32',
      { field: 'BERTH_SECRET_KEY' },
    );
}

function refuseWeak(name: string, value: Secret | null, min: number): void {
  const text = value?.reveal();
  if (text === undefined) return;
  if (text.length < min) throw new BerthError('invalid', `${name} needs at least ${min} characters`, { field: name });
  if (wellKnown.test(text) || new Set(text).size < 6)
    throw new BerthError('invalid', `${name} is too easy to guess; make one with: openssl rand -hex 24`, {
      field: name,
    });
}
