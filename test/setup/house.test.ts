import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkHouse } from '../../scripts/house/check-house.ts';

/** What the rules say about some files, given as path → text. */
const findings = (files: Record<string, string>): string[] =>
  checkHouse(Object.entries(files).map(([path, text]) => ({ path, text }))).map(
    ({ level, path, message }) => `${level} ${path} ${message}`,
  );

const imports = (to: string): string => `import { thing } from '${to}';\n`;

test('each import across a border is found', () => {
  const crossings: [from: string, to: string][] = [
    ['src/lib/a.ts', '../core/b.ts'],
    ['src/core/a.ts', '../store/b.ts'],
    ['src/engines/process/a.ts', '../../router/b.ts'],
    ['src/router/a.ts', '../engines/docker/b.ts'],
    ['src/store/a.ts', '../main/b.ts'],
    ['src/logging/a.ts', '../dialects/tsuru/b.ts'],
    ['src/dialects/tsuru/a.ts', '../akkeris/b.ts'],
    ['src/dialects/tsuru/a.ts', '../../store/b.ts'],
    ['src/dialects/tsuru/a.ts', '../../engines/process/b.ts'],
    ['src/http/a.ts', '../dialects/tsuru/b.ts'],
    ['src/cli/a.ts', '../core/b.ts'],
    ['src/core/a.ts', '../../test/support/b.ts'],
    ['src/unheard/a.ts', '../core/b.ts'],
    ['web/a.ts', '../src/core/b.ts'],
  ];
  for (const [from, to] of crossings)
    assert.equal(findings({ [from]: imports(to) }).length, 1, `${from} imports ${to}`);
});

test('imports within the borders pass', () => {
  const fine: [from: string, to: string][] = [
    ['src/main/a.ts', '../store/b.ts'],
    ['src/core/a.ts', '../lib/b.ts'],
    ['src/engines/process/a.ts', '../conformance/b.ts'],
    ['src/control/a.ts', '../core/ports/engine.ts'],
    ['src/dialects/tsuru/a.ts', './shape.ts'],
    ['src/dialects/tsuru/a.ts', '../../http/b.ts'],
    ['src/cli/a.ts', '../client/b.ts'],
    ['web/a.ts', '../src/client/b.ts'],
    ['test/e2e/a.ts', '../../src/store/b.ts'],
    ['src/store/a.ts', 'kysely'],
  ];
  for (const [from, to] of fine) assert.deepEqual(findings({ [from]: imports(to) }), [], `${from} imports ${to}`);
});

test('every form of import is seen, and comments are not', () => {
  for (const text of [
    "import thing from '../store/b.ts';",
    "import type { Thing } from '../store/b.ts';",
    "import {\n  one,\n  two,\n} from '../store/b.ts';",
    "import '../store/b.ts';",
    "export * from '../store/b.ts';",
    "export { one } from '../store/b.ts';",
    "const later = () => import('../store/b.ts');",
  ]) {
    assert.equal(findings({ 'src/core/a.ts': `${text}\n` }).length, 1, text);
  }
  assert.deepEqual(findings({ 'src/core/a.ts': "// import x from '../store/b.ts';\n/* Date.now */\n" }), []);
});

test('cycles are found, type imports are none', () => {
  const cycle = {
    'src/core/a.ts': imports('./b.ts'),
    'src/core/b.ts': imports('./c.ts'),
    'src/core/c.ts': imports('./a.ts'),
  };
  const [found, ...more] = findings(cycle);
  assert.match(found ?? '', /cycle: src\/core\/a.ts → src\/core\/b.ts → src\/core\/c.ts → src\/core\/a.ts/);
  assert.deepEqual(more, []);
  assert.deepEqual(findings({ ...cycle, 'src/core/c.ts': "import type { A } from './a.ts';\n" }), []);
  assert.equal(findings({ 'src/core/a.ts': imports('./a.ts') }).length, 1);
});

test('calls and packages have their place', () => {
  for (const code of [
    'process.env.HOME',
    'Date.now()',
    'new Date()',
    'Math.random()',
    "fetch('http://x')",
    "import { spawn } from 'node:child_process'",
    "import { request } from 'undici'",
  ]) {
    assert.equal(findings({ 'src/core/a.ts': `${code};\n` }).length, 1, code);
    assert.deepEqual(findings({ 'test/a.ts': `${code};\n` }), [], code);
  }
  assert.deepEqual(findings({ 'src/lib/exec.ts': "import { spawn } from 'node:child_process';\n" }), []);
  assert.deepEqual(findings({ 'src/main/a.ts': "import type { ChildProcess } from 'node:child_process';\n" }), []);
  assert.equal(findings({ 'src/main/a.ts': "import { spawn } from 'child_process';\n" }).length, 1);
  assert.deepEqual(findings({ 'src/router/a.ts': "import { Pool } from 'undici';\nnew Date(at);\n" }), []);
});

test('long files ask, too long ones fail', () => {
  assert.match(findings({ 'src/core/a.ts': 'x;\n'.repeat(251) })[0] ?? '', /^warning/);
  assert.match(findings({ 'src/core/a.ts': 'x;\n'.repeat(401) })[0] ?? '', /^error/);
  assert.deepEqual(findings({ 'src/core/a.ts': 'x;\n'.repeat(250), 'docs/a.md': 'x\n'.repeat(900) }), []);
});

test('traces of a machine are found in any file', () => {
  // Put together here, so that this file has none of its own.
  for (const text of [
    ['/work', '/main/src'].join(''),
    ['/home', '/jo/src/berth'].join(''),
    ['"resolved"', ': "https://mirror.example/x.tgz"'].join(''),
    ['registry', '=https://mirror.example'].join(''),
    ['--index-url', ' https://mirror.example'].join(''),
  ]) {
    assert.equal(findings({ 'docs/a.md': `${text}\n` }).length, 1, text);
  }
  assert.deepEqual(
    findings({ 'package-lock.json': '{"packages": {}, "resolved": "https://registry.npmjs.org/x.tgz"}\n' }),
    [],
  );
});

test('a lock file that lacks a platform is found', () => {
  const lock = (packages: object): Record<string, string> => ({ 'package-lock.json': JSON.stringify({ packages }) });
  const tool = { optionalDependencies: { 'tool-linux': '1.0.0', 'tool-windows': '1.0.0' } };
  const [found, ...more] = findings(lock({ 'node_modules/tool': tool, 'node_modules/tool-linux': {} }));
  assert.match(found ?? '', /tool-windows/);
  assert.deepEqual(more, []);
  assert.deepEqual(
    findings(lock({ 'node_modules/tool': tool, 'node_modules/tool-linux': {}, 'node_modules/tool-windows': {} })),
    [],
  );
});
