/** Installs the packages of package-lock.json when node_modules is not what it says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runQuietly, withProgress } from './child.mjs';
import { rootFolder, SetupError } from './root.mjs';

function packagesOf(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages ?? {};
  } catch {
    return null;
  }
}

/**
 * Whether a folder's node_modules holds what its lock file says. npm writes its own list of what it installed as the last step, so a
 * broken-off install never matches. Optional packages may be missing: most are for other platforms.
 */
export function isInstalled(folder) {
  const wanted = packagesOf(join(folder, 'package-lock.json'));
  const actual = packagesOf(join(folder, 'node_modules/.package-lock.json'));
  if (wanted === null || actual === null) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true;
    const found = actual[path];
    if (found === undefined) return entry.optional === true || entry.devOptional === true;
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

/** Brings node_modules in line with the lock file; throws SetupError with npm's words when that fails. */
export async function ensureDependencies() {
  if (isInstalled(rootFolder)) return;
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm'];
  const { code, output } = await withProgress('installing packages', () =>
    runQuietly([...npm, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: rootFolder,
    }),
  );
  if (code !== 0) throw new SetupError(`npm ci failed with code ${code}:\n${output}`);
}
