/**
 * `npm run bench [-- <part of a path> …]`: runs the measurements of bench/ one after the other, each as a process of its own. A file that
 * another one imports or starts by its name, or that lies in a folder `support`, is a part and not a measurement.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { basename, join } from 'node:path';
import { readSourceFiles } from './house/source-files.ts';

const root = join(import.meta.dirname, '..');
const filters = process.argv.slice(2);

const files = readSourceFiles(root).filter(({ path }) => /^bench\/.*\.ts$/.test(path));
const isPart = (path: string): boolean =>
  path.includes('/support/') || files.some((file) => file.path !== path && file.text.includes(basename(path)));
const mains = files
  .map(({ path }) => path)
  .filter((path) => !isPart(path))
  .filter((path) => filters.length === 0 || filters.some((filter) => path.includes(filter)));

for (const path of mains) {
  console.log(`\n# ${path}`);
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(root, path)], {
    cwd: root,
    stdio: 'inherit',
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) process.exitCode = 1;
}
