/** Whose files are that somebody in a container is to change. Pure. */
import { appUser } from './settings.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Who an image's processes run as: who it says, but for root under any spelling of the number. Source: runc, user.GetExecUser, which reads
 * numbers by Go's Atoi.
 */
export const runsAs = (user: string): string =>
  /^(?:|[+-]?0+|root)(?::.*)?$/.test(user) ? `${appUser}:${appUser}` : user;

/** `user`: as Docker names one, `4321:4321`. One by name is known to the image only: then they are the app's user's. */
export function ownerOf(user: string): Owner {
  const [, uid, gid] = /^(\d+)(?::(\d+))?$/.exec(user) ?? [];
  return { uid: Number(uid ?? appUser), gid: Number(gid ?? uid ?? appUser) };
}
