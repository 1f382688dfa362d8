/** All house rules over one reading of the files. */
import { checkBoundaries } from './boundaries.ts';
import { checkPlaces, checkSizes, checkTraces } from './content.ts';
import { checkCycles } from './cycles.ts';
import { importsOf } from './imports.ts';
import { checkLockFile } from './lock-file.ts';
import type { Finding, SourceFile } from './source-files.ts';

/** What the rules find, in the order of the files. */
export function checkHouse(files: readonly SourceFile[]): Finding[] {
  const imports = importsOf(files);
  return [
    ...checkBoundaries(imports),
    ...checkCycles(imports),
    ...checkPlaces(files, imports),
    ...checkSizes(files),
    ...checkTraces(files),
    ...checkLockFile(files),
  ].sort((a, b) => a.path.localeCompare(b.path));
}
