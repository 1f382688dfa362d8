/** The lock file names the packages of every platform. npm leaves out those it could not reach, and `npm ci` then refuses on any machine. */
import type { Finding, SourceFile } from './source-files.ts';

interface Lock {
  readonly packages?: Readonly<Record<string, { readonly optionalDependencies?: Readonly<Record<string, string>> }>>;
}

/** One error for each optional package that has no entry. */
export function checkLockFile(files: readonly SourceFile[]): Finding[] {
  const file = files.find(({ path }) => path === 'package-lock.json');
  if (file === undefined) return [];
  const { packages = {} }: Lock = JSON.parse(file.text);
  const wanted = Object.values(packages).flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies));
  return wanted
    .filter((name) => !Object.keys(packages).some((path) => path.endsWith(`node_modules/${name}`)))
    .map((name) => ({ level: 'error', path: file.path, message: `has no entry for ${name}: npm ci would refuse` }));
}
