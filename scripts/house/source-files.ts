/** The files of the checkout that the house rules look at, with their text. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface SourceFile {
  /** Relative to the checkout, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** What a rule has to say: an error fails the check, a warning is only shown. */
export interface Finding {
  readonly level: 'error' | 'warning';
  readonly path: string;
  readonly message: string;
}

const patterns = [
  '**/*.{ts,mjs,js,json,md,sql,html,css,yml,yaml,sh}',
  '.ci/*',
  'bin/*',
  'LICENSE',
  '.gitignore',
  '.npmrc',
];
const outside = new Set(['node_modules', '.git', '.berth']);

/** Reads every source, document and script below `root`. */
export function readSourceFiles(root: string): SourceFile[] {
  const paths = globSync(patterns, { cwd: root, exclude: (path) => outside.has(path.split('/').at(-1) ?? '') });
  return [...new Set(paths)].sort().map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

/** The text with its comments blanked out, so that rules about code do not trip over words about code. */
export const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' ')).replace(/(^|\s)\/\/[^\n]*/g, '$1');
