import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { checkAdminSettings } from '../../src/main/admin-settings.ts';
import { readSettings, settingsEnvironment } from '../../src/main/settings.ts';
import { settingsTable } from '../../src/main/settings-table.ts';

test('the documented table is the one that is parsed', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/operate/settings.md'), 'utf8');
  // The number of cores decides one default; the page has it in words.
  assert.ok(page.includes(settingsTable()), 'run: berth settings, and put its output into docs/operate/settings.md');
});

test('flags win over the environment, the environment over the file', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-settings-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'berth.conf');
  writeFileSync(file, '# a comment\nBERTH_PORT=1001\nBERTH_BASE_DOMAIN = "apps.example"\nBERTH_GRACE=3\n');
  const { settings, rest } = readSettings(['--port', '3003', '--sample', `--config=${file}`], {
    BERTH_PORT: '2002',
    BERTH_GRACE: '4',
  });
  assert.equal(settings.port, 3003);
  assert.equal(settings.graceSeconds, 4);
  assert.equal(settings.baseDomain, 'apps.example');
  assert.deepEqual([settings.routerHttpPort, settings.routerHttpsPort], [3083, 3046]);
  assert.deepEqual(rest, ['--sample']);
});

for (const [name, value] of [
  ['BERTH_PORT', '0'],
  ['BERTH_PORT', '77o0'],
  ['BERTH_ENGINE', 'imaginary'],
  ['BERTH_HOST', 'not an address'],
  ['BERTH_ALLOW_PRIVATE_SOURCES', 'maybe'],
] as const) {
  test(`${name}=${value} is refused by name`, () => {
    assert.throws(() => readSettings([], { [name]: value }), new RegExp(name));
  });
}

test('a child gets the same settings by its environment', () => {
  const { settings } = readSettings(['--data', '/tmp/x', '--admin-token', 'a-token-that-is-long-enough-1'], {});
  const again = readSettings([], settingsEnvironment(settings)).settings;
  assert.deepEqual(settingsEnvironment(again), settingsEnvironment(settings));
});

test('a secret setting does not show', () => {
  const { settings } = readSettings([], { BERTH_ADMIN_PASSWORD: 'correct horse battery' });
  assert.doesNotMatch(inspect(settings, { depth: 5 }) + JSON.stringify(settings), /correct horse/);
});

for (const [name, value] of [
  ['BERTH_ADMIN_PASSWORD', 'short'],
  ['BERTH_ADMIN_PASSWORD', 'password12345678'],
  ['BERTH_ADMIN_TOKEN', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'],
  ['BERTH_SECRET_KEY', '00'],
  ['BERTH_SECRET_KEY', '0'.repeat(64)],
] as const) {
  test(`a known or short ${name} is refused: ${value.slice(0, 16)}`, () => {
    const { settings } = readSettings([], { [name]: value });
    assert.throws(() => checkAdminSettings(settings), new RegExp(name));
  });
}
