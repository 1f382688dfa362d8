import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addonHostPort, checkAddonSettings } from '../../src/main/addon-settings.ts';
import { readSettings } from '../../src/main/settings.ts';

const settingsOf = (environment: Readonly<Record<string, string>>) => readSettings([], environment).settings;

test('the port of the embedded server of add-ons follows BERTH_PORT, or is what it is set to', () => {
  assert.equal(settingsOf({ BERTH_PORT: '9000' }).postgresAddonPort, 9032);
  assert.equal(settingsOf({ BERTH_PORT: '9000', BERTH_POSTGRES_ADDON_PORT: '5433' }).postgresAddonPort, 5433);
});

const platform = 'postgres://berth:secret@127.0.0.1/berth';
for (const url of [
  'postgres://other:password@127.0.0.1:5432/other',
  'postgresql://other@localhost/',
  'mysql://db/x',
  'db.example',
  'postgres:///x',
]) {
  test(`BERTH_POSTGRES_ADDON_URL=${url} is refused by name`, () => {
    const settings = settingsOf({ BERTH_DATABASE_URL: platform, BERTH_POSTGRES_ADDON_URL: url });
    assert.throws(() => checkAddonSettings(settings), /BERTH_POSTGRES_ADDON_URL/);
  });
}

test('another server is fine, and only one on this machine is opened to apps', () => {
  const at = (url: string) =>
    settingsOf({ BERTH_PORT: '9000', BERTH_DATABASE_URL: platform, BERTH_POSTGRES_ADDON_URL: url });
  const near = at('postgres://maker:p%40ss@localhost:5433/postgres');
  const far = at('postgres://maker:p%40ss@db.example/postgres');
  for (const settings of [near, far]) checkAddonSettings(settings);
  assert.equal(addonHostPort(near), 5433);
  assert.equal(addonHostPort(far), null);
  assert.equal(addonHostPort(settingsOf({ BERTH_PORT: '9000' })), 9032);
});
