/** Who runs in a container, and whose files are that it is to change. Pure. */
import { appUser } from './settings.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** The app's user, as Docker names one. */
export const appRuns = `${appUser}:${appUser}`;

/** Every spelling of root's number, or its usual name, with any group. Source: runc, user.GetExecUser, which reads numbers by Go's Atoi. */
const root = /^(?:|[+-]?0+|root)(?::.*)?$/;
const number = /^[+-]?\d+$/;

/** Whether somebody of this name is root whatever the image's files say. */
export const isRoot = (user: string): boolean => root.test(user);

/** The name that only the image's own files can tell the number of; null when `user` begins with a number, or with nothing. */
export function nameIn(user: string): string | null {
  const [name = ''] = user.split(':');
  return name === '' || number.test(name) ? null : name;
}

/**
 * `user` with the numbers that the text of an image's /etc/passwd has for its name; null when the file does not know it. A field that is no
 * number counts as 0. Source: runc, user.ParsePasswdFilter: the first line of that name is the one.
 */
export function numbered(user: string, passwd: string): string | null {
  const [name, group] = user.split(':');
  const fields = passwd
    .split('\n')
    .map((line) => line.trim().split(':'))
    .find(([each]) => each === name);
  if (fields === undefined) return null;
  const [uid, gid] = [fields[2], fields[3]].map((field = '') => (number.test(field) ? Number(field) : 0));
  return `${uid}:${group || gid}`;
}

/** `user`: as Docker names one, `4321:4321`. A group by name is known to the image only: then it is the user's number. */
export function ownerOf(user: string): Owner {
  const [, uid, gid] = /^\+?(\d+)(?::(\d+)?)?/.exec(user) ?? [];
  return { uid: Number(uid ?? appUser), gid: Number(gid ?? uid ?? appUser) };
}
