/** The import rules of ARCHITECTURE.md: which folder of src/ may know which. */
import type { Import } from './imports.ts';
import type { Finding } from './source-files.ts';

const adapters = ['control', 'store', 'engines', 'builders', 'router', 'logging', 'metering', 'addons', 'git'];

/** Folder of src/ → the other folders that it may import. Its own folder is always allowed; main may import all. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  core: ['lib'],
  ...Object.fromEntries(adapters.map((name) => [name, ['core', 'lib']])),
  http: ['core', 'lib'],
  dialects: ['core', 'http', 'lib'],
  client: ['lib'],
  cli: ['client', 'lib'],
};

/** `src/<folder>/…` → folder; other paths have none. */
const folderOf = (path: string): string | undefined => /^src\/([^/]+)\//.exec(path)?.[1];
const dialectOf = (path: string): string | undefined => /^src\/dialects\/([^/]+)\//.exec(path)?.[1];

/** Why a file may not import another one of ours, or null. */
function objection({ from, to }: Import): string | null {
  if (from.startsWith('web/')) {
    return to.startsWith('src/') && !to.startsWith('src/client/') ? 'the dashboard knows only src/client' : null;
  }
  const [here, there] = [folderOf(from), folderOf(to)];
  if (here === undefined || here === 'main') return null;
  if (/^(?:test|bench|scripts|setup)\//.test(to)) return 'the product does not import tests or tools';
  if (there === undefined) return null;
  if (here === 'dialects' && there === 'dialects') {
    const [own, other] = [dialectOf(from), dialectOf(to)];
    return other !== undefined && own !== other ? 'a dialect never imports another one' : null;
  }
  if (here === there) return null;
  const rule = allowed[here];
  if (rule === undefined) return `src/${here} has no import rule: add one to scripts/house/boundaries.ts`;
  if (rule.includes(there)) return null;
  return `src/${here} may import ${rule.length === 0 ? 'nothing else of src' : `only ${rule.join(', ')}`}`;
}

/** One error for each import that crosses a border. */
export function checkBoundaries(imports: readonly Import[]): Finding[] {
  return imports.flatMap((entry) => {
    const why = objection(entry);
    return why === null ? [] : [{ level: 'error', path: entry.from, message: `imports ${entry.to}: ${why}` }];
  });
}
