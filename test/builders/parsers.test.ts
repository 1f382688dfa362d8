import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { gitSource } from '../../src/builders/buildpacks/buildpack-url.ts';
import { choosePackageManager } from '../../src/builders/buildpacks/node-package-manager.ts';
import { parseProcfile } from '../../src/builders/buildpacks/procfile.ts';
import { parseReleaseYaml } from '../../src/builders/buildpacks/release-yaml.ts';
import { formatBytes } from '../../src/builders/limits.ts';
import { parseChecksum } from '../../src/builders/sources/checksum.ts';
import { parseDataUri } from '../../src/builders/sources/data-uri.ts';
import { BuildFailure } from '../../src/core/ports/builder.ts';

test('reads data URIs in every form that is sent', () => {
  const bytes = Buffer.from([0, 1, 0xfb, 0xff, 0xfe, 0x3f, 0x80, 10, 37]);
  const base64 = bytes.toString('base64');
  const forms = [
    `data:base64,${base64}`,
    `data:;base64,${base64}`,
    `data:application/zip;base64,${base64}`,
    `data:application/x-gzip;charset=utf-8;base64,${base64}`,
    `DATA:application/gzip;BASE64,${base64}`,
    `data:application/gzip;base64 ,${base64}`,
    `data:;base64,${base64.replace(/=+$/, '')}`,
    `data:;base64,${bytes.toString('base64url')}`,
    `data:;base64,${encodeURIComponent(base64)}`,
    `data:;base64,${base64.slice(0, 5)}\r\n${base64.slice(5)}\n`,
    `data:,${[...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')}`,
  ];
  for (const form of forms) assert.deepEqual(parseDataUri(form, 1000), bytes, form);
  assert.deepEqual(parseDataUri('data:text/plain,a%20b+c', 1000), Buffer.from('a b+c'));
});

test('refuses data URIs that are malformed or too large', () => {
  for (const uri of [
    'data:',
    'data:;base64',
    'data:;base64,',
    'data:;base64,a',
    'data:;base64,!!!!',
    'data:,%zz',
    'data:,%4',
    'base64,aaaa',
  ]) {
    assert.throws(() => parseDataUri(uri, 1000), BuildFailure, uri);
  }
  assert.throws(() => parseDataUri(`data:;base64,${Buffer.alloc(101).toString('base64')}`, 100), /larger than 100 B/);
  assert.throws(() => parseDataUri(`data:,${'a'.repeat(10_000)}`, 100), /larger than 100 B/);
});

test('property: bytes survive a data URI', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
      const buffer = Buffer.from(bytes);
      assert.deepEqual(parseDataUri(`data:base64,${buffer.toString('base64')}`, 1000), buffer);
      const encoded = [...buffer].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
      assert.deepEqual(parseDataUri(`data:,${encoded}`, 1000), buffer);
    }),
  );
});

test('reads checksums', () => {
  const hex = 'ab'.repeat(32);
  for (const text of [hex, hex.toUpperCase(), `sha256:${hex}`, `SHA256:${hex}`, ` sha-256:${hex}\n`])
    assert.equal(parseChecksum(text), hex);
  for (const text of [null, '', '  ']) assert.equal(parseChecksum(text), null);
  for (const text of ['md5:abc', hex.slice(1), `${hex}0`, `sha512:${hex}`])
    assert.throws(() => parseChecksum(text), BuildFailure);
});

test('reads Procfiles', () => {
  const text = '# processes\r\nweb: node server.js --port $PORT\n\nworker : ./work "a: b"\nrelease:x\n';
  assert.deepEqual(parseProcfile(text), { web: 'node server.js --port $PORT', worker: './work "a: b"', release: 'x' });
  assert.deepEqual(Object.keys(parseProcfile('__proto__: x')), ['__proto__']);
  assert.throws(() => parseProcfile('web: a\nweb: b'), /line 2 declares web again/);
  assert.throws(() => parseProcfile('web: a\nnonsense'), /line 2/);
  assert.throws(() => parseProcfile('-web: a'), /line 1/);
  assert.throws(() => parseProcfile('web:'), /line 1/);
  assert.throws(() => parseProcfile('# nothing\n'), /no process/);
});

test('reads what bin/release prints', () => {
  const text = `---\naddons:\n  - postgres\nconfig_vars:\n  A: b\ndefault_process_types:\n  web: bundle exec puma -p $PORT # note\n  "worker": 'it''s'\n  console: "a \\"b\\""\n`;
  assert.deepEqual(parseReleaseYaml(text), { web: 'bundle exec puma -p $PORT', worker: "it's", console: 'a "b"' });
  for (const empty of ['', '--- {}\n', '{}', 'default_process_types: {}\n', 'addons: []'])
    assert.deepEqual(parseReleaseYaml(empty), {});
  for (const bad of [
    'default_process_types: {web: x}',
    'default_process_types:\n  web: |\n    x',
    'default_process_types:\n  - web',
  ]) {
    assert.throws(() => parseReleaseYaml(bad), BuildFailure, bad);
  }
});

test('chooses the package manager by the lockfile', () => {
  const choose = (names: string[], wanted: string | null = null) =>
    choosePackageManager(new Set(names), wanted, '/cache');
  assert.deepEqual(choose(['package-lock.json']).install(true), ['npm', 'ci', '--omit=dev']);
  assert.deepEqual(choose([]).install(false), ['npm', 'install', '--include=dev']);
  assert.deepEqual(
    choose(['yarn.lock']).install(false).slice(0, 7).join(' '),
    'npm exec --yes --package=yarn@1.22.22 -- yarn install',
  );
  assert.match(
    choose(['pnpm-lock.yaml'], 'pnpm@10.1.2').install(true).join(' '),
    /pnpm@10\.1\.2 .*--frozen-lockfile --prod /,
  );
  assert.match(choose(['yarn.lock'], 'yarn@4.5.0').install(true).join(' '), /cli-dist@4\.5\.0 .*--immutable/);
  assert.equal(choose(['package-lock.json'], 'pnpm@10.1.2').name, 'npm', 'the lockfile decides');
  assert.throws(() => choose(['yarn.lock', 'package-lock.json']), /package-lock.json and yarn.lock/);
  assert.throws(() => choose([], 'npm@latest'), /exact version/);
  assert.throws(() => choose([], 'npm@1.0.0 --evil'), /exact version/);
});

test('tells a git repository from an archive', () => {
  assert.deepEqual(gitSource('https://github.com/heroku/heroku-buildpack-ruby'), {
    url: 'https://github.com/heroku/heroku-buildpack-ruby',
    ref: null,
  });
  assert.deepEqual(gitSource('https://u:p@git.example.com/x.git#v1.2'), {
    url: 'https://u:p@git.example.com/x.git',
    ref: 'v1.2',
  });
  for (const archive of [
    'https://example.com/pack.tgz',
    'https://github.com/a/b/archive/main.tar.gz',
    'data:;base64,aaaa',
    'upload:x',
  ]) {
    assert.equal(gitSource(archive), null, archive);
  }
  for (const other of ['git@github.com:a/b', 'ssh://host/x', 'git://host/x', 'file:///etc']) {
    assert.throws(() => gitSource(other), /http\(s\) URL/, other);
  }
  assert.throws(() => gitSource('https://example.com/x.git#--upload-pack=evil'), /branch or tag/);
});

test('says bytes in words', () => {
  assert.deepEqual([0, 1023, 1024, 1536, 5 * 1024 ** 3].map(formatBytes), [
    '0 B',
    '1023 B',
    '1 KiB',
    '1.5 KiB',
    '5 GiB',
  ]);
});
