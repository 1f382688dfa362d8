import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { extract } from 'tar-stream';
import { packContext } from '../../src/builders/images/build-context.ts';
import { dockerIgnore } from '../../src/builders/images/docker-ignore.ts';
import { SourceTree } from '../../src/builders/source-tree.ts';
import { BuildFailure } from '../../src/core/ports/builder.ts';
import { temporaryFolder } from './workbench.ts';

/** Docker's own examples, and the corners of its rules. */
const cases: readonly (readonly [patterns: string, out: readonly string[], kept: readonly string[]])[] = [
  ['# comment\n\n  \n', [], ['# comment', 'a']],
  ['temp', ['temp', 'temp/file'], ['a/temp', 'temps']],
  ['/temp/', ['temp', 'temp/file'], ['a/temp']],
  ['*/temp*', ['some/temporary.txt', 'some/temp', 'some/temp/below'], ['temp', 'some/sub/temp']],
  ['*/*/temp*', ['some/sub/temporary.txt'], ['some/temp']],
  ['temp?', ['tempa', 'tempb/below'], ['temp', 'tempab', 'temp/']],
  ['**/*.go', ['a.go', 'b/a.go', 'b/c/a.go'], ['a.gone', 'go']],
  ['**/node_modules', ['node_modules', 'a/node_modules/b'], ['my_node_modules']],
  ['a/**', ['a/b', 'a/b/c'], ['b/a']],
  ['a/**/z', ['a/z', 'a/b/z', 'a/b/c/z'], ['z', 'b/a/z']],
  ['*.md\n!README.md', ['a.md'], ['README.md', 'docs/a.md']],
  ['*.md\n!README*.md\nREADME-secret.md', ['README-secret.md', 'a.md'], ['README.md', 'README-x.md']],
  ['*.md\nREADME-secret.md\n!README*.md', ['a.md'], ['README-secret.md']],
  ['node_modules\n!node_modules/kept', ['node_modules/a'], ['node_modules/kept', 'node_modules/kept/b']],
  ['*', ['a', 'a/b', '.env'], []],
  ['./a/../b', ['b', 'b/c'], ['a']],
  ['a[0-9].txt', ['a1.txt'], ['ab.txt', 'a10.txt']],
  ['a[^0-9]', ['ab'], ['a1']],
  ['a\\*', ['a*'], ['ab']],
  ['a.b+(c)|$', ['a.b+(c)|$'], ['axb+(c)|$', 'a.bb']],
  ['a\r\nb\r\n', ['a', 'b'], ['c']],
];

test('what a .dockerignore keeps out', () => {
  for (const [patterns, out, kept] of cases) {
    const ignore = dockerIgnore(patterns);
    for (const path of out) assert.ok(ignore.excludes(path), `${JSON.stringify(patterns)} keeps ${path} out`);
    for (const path of kept) assert.ok(!ignore.excludes(path), `${JSON.stringify(patterns)} leaves ${path} in`);
  }
  assert.throws(
    () => dockerIgnore('a[b'),
    (error) => error instanceof BuildFailure && error.code === 'source' && error.message.includes('a[b'),
  );
});

test('no .dockerignore makes the platform think for long', () => {
  const long = `${'a/'.repeat(60)}${'a'.repeat(200)}`;
  const startedMs = performance.now();
  for (const pattern of [
    `${'**/'.repeat(40)}b`,
    `${'**/a'.repeat(40)}b`,
    `${'*a'.repeat(60)}b`,
    `${'**a'.repeat(60)}b`,
  ])
    assert.equal(dockerIgnore(pattern).excludes(pattern.includes('/') ? long : 'a'.repeat(250)), false);
  assert.ok(performance.now() - startedMs < 10_000);
  assert.throws(() => dockerIgnore('a\n'.repeat(20_000)), /longer than 32 KiB/);
});

test('a context holds the tree but for what is kept out, and always the Dockerfile', async (t) => {
  const folder = await temporaryFolder(t);
  const files = {
    Dockerfile: 'FROM x',
    '.dockerignore': '*\n!src\nsrc/*.log\n!deep/in/kept.txt',
    'README.md': 'out',
    'src/a.js': 'a',
    'src/b.log': 'out',
    'deep/in/kept.txt': 'kept',
    'deep/in/out.txt': 'out',
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text, { mode: path.endsWith('.js') ? 0o755 : 0o644 });
  }
  symlinkSync('a.js', join(folder, 'src/link'));
  const entries = async () => {
    const found: Record<string, string> = {};
    const tar = (await packContext(new SourceTree(folder), 'Dockerfile')).pipe(extract());
    for await (const entry of tar) {
      const { name, type, mode = 0, linkname, uid } = entry.header;
      const chunks: Buffer[] = [];
      for await (const chunk of entry) chunks.push(chunk as Buffer);
      assert.equal(uid, 0);
      found[name] = `${type} ${(mode & 0o777).toString(8)} ${linkname ?? Buffer.concat(chunks).toString()}`;
    }
    return found;
  };
  assert.deepEqual(await entries(), {
    Dockerfile: 'file 644 FROM x',
    'deep/in/kept.txt': 'file 644 kept',
    src: 'directory 755 ',
    'src/a.js': 'file 755 a',
    'src/link': 'symlink 755 a.js',
  });
  // The Dockerfile's own list comes before the general one.
  writeFileSync(join(folder, 'Dockerfile.dockerignore'), 'deep\nsrc\n.dockerignore\n');
  assert.deepEqual(Object.keys(await entries()), ['Dockerfile', 'Dockerfile.dockerignore', 'README.md']);
});
