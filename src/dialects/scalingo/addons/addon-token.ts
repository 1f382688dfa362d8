/**
 * What `POST …/addons/:id/token` gives: a JWT that says who asked for which add-on, signed by the platform, for an hour. It opens nothing
 * here; whoever shares the add-on's secrets has other ways to check a caller.
 */
import type { SecretBox } from '../../../core/ports/secret.ts';

const LIFETIME_S = 60 * 60;

export interface AddonTokenFor {
  readonly addonId: string;
  readonly appId: string | null;
  readonly userId: string | null;
  readonly now: Date;
}

export function addonToken(box: SecretBox, { addonId, appId, userId, now }: AddonTokenFor): string {
  const iat = Math.floor(now.getTime() / 1000);
  const head = encode({ alg: 'HS256', typ: 'JWT' });
  const claims = encode({ iss: 'Berth', iat, exp: iat + LIFETIME_S, sub: userId, addon_id: addonId, app_id: appId });
  const signature = Buffer.from(box.digest(`scalingo add-on token ${head}.${claims}`), 'hex').toString('base64url');
  return `${head}.${claims}.${signature}`;
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
