/** Ids of instances as this API knows them: of the seat, which stays over stops, starts and restarts. */
import { createHash } from 'node:crypto';

const LENGTH = 12;

/** Twelve of `[a-z0-9]`, from what the seat is. */
export function instanceIdOf(appId: string, type: string, seat: string): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([appId, type, seat]))
    .digest('hex')
    .slice(0, 30);
  return BigInt(`0x${digest}`).toString(36).padStart(LENGTH, '0').slice(-LENGTH);
}
