/** Where volumes may be mounted inside, and the folders that they are bound over. */
import { chownSync, lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** The sandbox's own, first word of the path: a volume there would hide what programs need to run. */
const system = /^(?:usr|s?bin|lib(?:x?32|64)?|proc|dev|etc|sys)$/;
const runtime = '/opt/berth';
const isWithin = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

/** Why these paths cannot all be mounted at, in words for the app's owner; null when they can. Pure. */
export function mountRefusal(paths: readonly string[]): string | null {
  for (const [index, path] of paths.entries()) {
    const names = path.split('/').slice(1);
    if (!path.startsWith('/') || path.includes('\0')) return `a volume's path must begin with a slash: ${path}`;
    if (names.some((name) => name === '' || name === '.' || name === '..')) {
      return `a volume's path must be a folder below the root, without . and .. or double slashes: ${path}`;
    }
    const [first = ''] = names;
    if (system.test(first) || isWithin(path, runtime) || isWithin(runtime, path)) {
      return `a volume may not hide the system's folder ${path}`;
    }
    const other = paths.slice(0, index).find((each) => isWithin(each, path) || isWithin(path, each));
    if (other !== undefined) return `one volume cannot be mounted inside another: ${other} and ${path}`;
  }
  return null;
}

/**
 * Makes the folder below `app` over which a volume at `/app/…` is bound, and its parents, for the app's user. A link on the way could
 * lead out of the working copy, so it is refused; nothing of the app runs yet that could put one there later.
 */
export function makeMountPoint(app: string, path: string, uid: number | null): void {
  let folder = app;
  for (const name of path.split('/').slice(2)) {
    folder = join(folder, name);
    const there = lstatSync(folder, { throwIfNoEntry: false });
    if (there === undefined) {
      mkdirSync(folder, { mode: 0o755 });
      if (uid !== null) chownSync(folder, uid, uid);
    } else if (!there.isDirectory()) {
      throw new Error(`a volume cannot be mounted at ${path}: a file or link of the app is in the way`);
    }
  }
}
