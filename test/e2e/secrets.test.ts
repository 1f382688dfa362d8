// test-timeout: 180
/** Config of any content goes whole through build and run, and its text is nowhere but in the app. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { logLines } from '../support/app-log.ts';
import { databaseDump } from '../support/database.ts';
import { buildLog, createApp, deploy } from '../support/deploy.ts';
import { filesHolding } from '../support/files.ts';
import { startPlatform } from '../support/platform.ts';
import { ask } from '../support/request.ts';

/** In the middle of every value: what is searched for. */
const needle = `needle${randomBytes(8).toString('hex')}`;
const values: Readonly<Record<string, string>> = {
  S_LINES: `first\n${needle}\r\n\n third\t\n`,
  S_QUOTES: `'"${needle}'''\\"\\\\'`,
  S_COMMAND: `$(touch /tmp/${needle})\`id\`; rm -rf ~ & || $HOME \${PATH} %s !! # *`,
  S_UNICODE: `Zürich ${needle} 東京 \u202e\u0000`.replace('\0', '\u200b'),
  S_EMOJI: `👩‍👩‍👧‍👦${needle}🔑`,
  S_LONG: `${needle}${'x'.repeat(60 * 1024 - needle.length)}`,
  S_JSON: JSON.stringify({ private: `-----BEGIN\n${needle}\n-----END` }),
  S_BLANK: '',
  S_SPACES: `  ${needle}  `,
};
const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
const hashes = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, hash(value)]));

const hashScript = `const { createHash } = require('node:crypto');
exports.hashes = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('S_'))
  .map(([name, value]) => [name, createHash('sha256').update(value).digest('hex')]));
`;
const app = {
  Procfile: 'web: node server.js\n',
  'package.json': '{"name":"keeper","private":true,"scripts":{"build":"node build.js"}}',
  'hash.js': hashScript,
  'build.js': "require('node:fs').writeFileSync('built.json', JSON.stringify(require('./hash.js').hashes));\n",
  'server.js': `const { hashes } = require('./hash.js');
const built = JSON.parse(require('node:fs').readFileSync('built.json', 'utf8'));
require('node:http').createServer((request, response) => response.end(JSON.stringify({ built, hashes }))).listen(process.env.PORT);
`,
};

/** As text, and as it would look in a column of bytes or in base64 at any alignment. */
const disguises = (text: string): string[] => [
  text,
  Buffer.from(text).toString('hex'),
  ...[0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), Buffer.from(text)])
      .toString('base64')
      .slice(shift === 0 ? 0 : 4, -4),
  ),
];

test('secrets of any content', async (t) => {
  const platform = await startPlatform(t, { environment: { BERTH_LOG_LEVEL: 'debug' } });
  const path = await createApp(platform, 'keeper');
  await platform.akkeris.patch(`${path}/config-vars`, values);
  const { build } = await deploy(platform, path, app);

  await t.test('are read back as they were set', async () => {
    const read = await platform.akkeris.get<Record<string, string>>(`${path}/config-vars`);
    for (const [name, value] of Object.entries(values)) assert.equal(read[name], value, name);
  });

  await t.test('reach the build and the run byte by byte', async () => {
    const served = JSON.parse((await ask(platform, 'keeper')).body) as { built: object; hashes: object };
    assert.deepEqual(served.built, hashes);
    assert.deepEqual(served.hashes, hashes);
  });

  await t.test('are in no log, list or event', async () => {
    const shown = [
      platform.output(),
      ...(await logLines(platform, path)),
      ...(await buildLog(platform, path, build.id)),
      JSON.stringify(
        await Promise.all(
          ['', '/builds', '/releases', '/dynos', '/formation'].map((noun) => platform.akkeris.get(path + noun)),
        ),
      ),
    ].join('\n');
    for (const text of disguises(needle)) assert.ok(!shown.includes(text), text);
  });

  await t.test('are in no row of the database', async () => {
    const rows = await databaseDump(platform);
    assert.ok(
      rows.some((row) => row.includes('S_LINES')),
      'the dump sees the config',
    );
    for (const text of disguises(needle)) {
      const row = rows.find((each) => each.includes(text));
      assert.equal(row?.slice(0, 200), undefined);
    }
  });

  await t.test('are in no file of the platform', async () => {
    const texts = disguises(needle).map((text) => Buffer.from(text));
    assert.deepEqual(await filesHolding(platform.dataFolder, texts), []);
  });

  await t.test('are in no argument vector', async () => {
    for (const entry of await readdir('/proc')) {
      if (!/^\d+$/.test(entry)) continue;
      const command = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
      assert.ok(!command.includes(needle), command.slice(0, 300));
    }
  });
});
