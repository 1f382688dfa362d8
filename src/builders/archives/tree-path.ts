/** Turns an archive's path into one that is safe below a root, or refuses it. Pure; knows no file system. */
import { BuildFailure } from '../../core/ports/builder.ts';

export interface PathLimits {
  readonly pathBytes: number;
  readonly depth: number;
}

/** Cuts a path for a message and shows what cannot be printed. */
export function showPath(path: string): string {
  return JSON.stringify(path.length > 120 ? `${path.slice(0, 117)}...` : path);
}

/**
 * The components of a relative path, without empty and `.` ones; `[]` is the root itself. Throws BuildFailure `source` for an absolute
 * path, a `..`, a NUL, or one that is too long or too deep.
 */
export function splitTreePath(path: string, limits: PathLimits): string[] {
  if (path.includes('\0')) throw refused(path, 'holds a NUL byte');
  if (path.startsWith('/')) throw refused(path, 'is absolute');
  const components = path.split('/').filter((component) => component !== '' && component !== '.');
  if (components.includes('..')) throw refused(path, 'leaves the archive');
  if (Buffer.byteLength(path) > limits.pathBytes) throw refused(path, `is longer than ${limits.pathBytes} bytes`);
  if (components.length > limits.depth) throw refused(path, `is deeper than ${limits.depth} folders`);
  if (components.some((component) => Buffer.byteLength(component) > 255))
    throw refused(path, 'has a part longer than 255 bytes');
  return components;
}

export function refused(path: string, why: string): BuildFailure {
  return new BuildFailure('source', `the archive is refused: ${showPath(path)} ${why}`);
}
