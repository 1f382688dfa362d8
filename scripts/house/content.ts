/** Rules about what a file may hold: its size, calls that belong to one place, and traces of the machine it was written on. */
import type { Import } from './imports.ts';
import { type Finding, type SourceFile, withoutComments } from './source-files.ts';

const warnLines = 250;
const maxLines = 400;

/** Hand-written code: over 250 lines ask, over 400 never. */
export function checkSizes(files: readonly SourceFile[]): Finding[] {
  return files
    .filter(({ path }) => /\.(?:ts|mjs|js|sql|css|html|sh)$/.test(path) && !path.startsWith('examples/'))
    .flatMap(({ path, text }): Finding[] => {
      const lines = text.split('\n').length - 1;
      if (lines > maxLines) return [{ level: 'error', path, message: `${lines} lines, at most ${maxLines}: split it` }];
      if (lines > warnLines) return [{ level: 'warning', path, message: `${lines} lines: is it still one idea?` }];
      return [];
    });
}

const outsideMainAndLib = (path: string): boolean => path.startsWith('src/') && !/^src\/(?:main|lib)\//.test(path);

/** A test suite that lives beside the engines: it asks its instances over the loopback and holds the text of little apps. */
const conformanceSuite = 'src/engines/conformance/';

/** Code that only some places may hold. */
const calls: readonly { what: RegExp; forbidden: (path: string) => boolean; why: string }[] = [
  {
    what: /\bprocess\.env\b/,
    forbidden: outsideMainAndLib,
    why: 'process.env belongs to src/main: take the setting as an option',
  },
  { what: /\bDate\.now\b/, forbidden: outsideMainAndLib, why: 'Date.now: take a Clock' },
  { what: /\bnew Date\(\s*\)/, forbidden: outsideMainAndLib, why: 'new Date(): take a Clock' },
  { what: /\bMath\.random\b/, forbidden: outsideMainAndLib, why: 'Math.random: take Ids' },
  {
    what: /(?<![.\w])fetch\(/,
    forbidden: (path) => path.startsWith('src/') && !/^src\/(?:lib\/dialer|client\/|main\/)/.test(path),
    why: 'fetch: requests to user-given URLs go through src/lib/dialer',
  },
];

/** Packages that only some places may import. */
const modules: readonly { what: RegExp; forbidden: (path: string) => boolean; why: string }[] = [
  {
    what: /^(?:node:)?child_process$/,
    forbidden: (path) => path.startsWith('src/') && path !== 'src/lib/exec.ts',
    why: 'processes are started by src/lib/exec.ts only',
  },
  {
    what: /^undici$/,
    forbidden: (path) => path.startsWith('src/') && !/^src\/(?:lib\/dialer|router\/|client\/)/.test(path),
    why: 'requests to user-given URLs go through src/lib/dialer',
  },
];

/** One error for each call or package in a place that is not its own. */
export function checkPlaces(files: readonly SourceFile[], imports: readonly Import[]): Finding[] {
  const wrongCalls = files
    .filter(({ path }) => path.endsWith('.ts') && !path.startsWith(conformanceSuite))
    .flatMap(({ path, text }) => {
      const code = withoutComments(text);
      return calls
        .filter(({ what, forbidden }) => forbidden(path) && what.test(code))
        .map(({ why }) => error(path, why));
    });
  const running = imports.filter(({ typeOnly }) => !typeOnly);
  const wrongModules = running.flatMap(({ from, to }) =>
    modules.filter(({ what, forbidden }) => what.test(to) && forbidden(from)).map(({ why }) => error(from, why)),
  );
  return [...wrongCalls, ...wrongModules];
}

/** Written so that this file does not hold what it looks for. */
const traces: readonly { what: RegExp; why: string }[] = [
  { what: /\/work\/(?:main|shared|spec|\.library)\b/, why: 'a path of the machine it was written on' },
  {
    what: /\/(?:Users|home)\/[a-z]\w*\/(?:src|code|projects|dev|repos)\//,
    why: 'a path of the machine it was written on',
  },
  {
    what: /"resolved": "(?!https:\/\/registry\.npmjs\.org\/)[a-z]/,
    why: 'a package registry other than the public one',
  },
  { what: /^\s*(?:@[\w-]+:)?registry\s*=/m, why: 'a setting of a package registry' },
  { what: /--(?:extra-)?index-url[ =]http/, why: 'a package registry other than the public one' },
];

/** One error for each file with a trace of somebody's machine or network. */
export const checkTraces = (files: readonly SourceFile[]): Finding[] =>
  files.flatMap(({ path, text }) =>
    traces.filter(({ what }) => what.test(text)).map(({ why }) => error(path, `holds ${why}`)),
  );

const error = (path: string, message: string): Finding => ({ level: 'error', path, message });
