/** Who imports whom, from the text of the files: enough for our own style, without a compiler. */
import { posix } from 'node:path';
import { type SourceFile, withoutComments } from './source-files.ts';

export interface Import {
  readonly from: string;
  /** A path of the checkout for relative imports, otherwise the package or `node:` module. */
  readonly to: string;
  /** `import type`: gone when the code runs. */
  readonly typeOnly: boolean;
}

const statement =
  /(?:^|\n)\s*(?:import|export)(\s+type)?\s(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

/** All imports of the TypeScript and JavaScript files, static and dynamic. */
export function importsOf(files: readonly SourceFile[]): Import[] {
  return files
    .filter(({ path }) => /\.(?:ts|mjs|js)$/.test(path))
    .flatMap(({ path, text }) =>
      [...withoutComments(text).matchAll(statement)].map((match): Import => {
        const target = match[2] ?? match[3] ?? '';
        const to = target.startsWith('.') ? posix.join(posix.dirname(path), target) : target;
        return { from: path, to, typeOnly: match[1] !== undefined };
      }),
    );
}
