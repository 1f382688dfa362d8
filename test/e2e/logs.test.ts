// test-timeout: 180
/** An app's log as clients read it, while parts of the platform come and go. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { logLines, logSession, untilLogged } from '../support/app-log.ts';
import { createApp, deploy } from '../support/deploy.ts';
import { startPlatform } from '../support/platform.ts';
import { ask } from '../support/request.ts';
import { until } from '../support/until.ts';

const ROUNDS = 10;
const LINES = 2_000;

/** Says on its output whatever path it is asked for; `/many/<n>` says n lines; ticks by itself. */
const talker = {
  Procfile: 'web: node server.js\n',
  'package.json': '{"name":"talker","private":true}',
  'server.js': `let ticks = 0;
setInterval(() => console.log('tick ' + ++ticks), 200);
require('node:http').createServer((request, response) => {
  const count = Number(/^\\/many\\/(\\d+)$/.exec(request.url)?.[1] ?? 0);
  for (let at = 1; at <= count; at += 1) console.log('many ' + at + ' ' + 'x'.repeat(200));
  console.log('asked for ' + request.url);
  console.error('and an error');
  response.end('ok');
}).listen(process.env.PORT);
`,
};

test('the log of an app', async (t) => {
  const platform = await startPlatform(t);
  const path = await createApp(platform, 'talker');
  await deploy(platform, path, talker);
  await ask(platform, 'talker', '/hello?a=1');

  await t.test('holds lines of the app, the router and the platform, in the words of the API', async () => {
    await untilLogged(platform, path, / app\[web\.\d{10}-[a-z0-9]{5}\]: asked for \/hello\?a=1$/);
    await untilLogged(platform, path, / akkeris\/router: .*method=GET .*status=200/);
    await untilLogged(platform, path, / akkeris\/event: Release v1 finished\.$/);
    const lines = await untilLogged(platform, path, /: and an error$/);
    for (const line of lines) assert.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z talker-default \S+: /);
  });

  await t.test('gives no more lines than asked for', async () => {
    const response = await fetch(await logSession(platform, path, false, 3));
    assert.equal(response.headers.get('content-type'), 'text/plain; charset=utf-8');
    assert.equal((await response.text()).trimEnd().split('\n').length, 3);
  });

  await t.test('can be followed, with no line lost or doubled', async () => {
    const abort = new AbortController();
    const response = await fetch(await logSession(platform, path, true, 1), { signal: abort.signal });
    let text = '';
    const reading = (async () => {
      for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString('utf8');
    })().catch((error: unknown) => {
      if (!abort.signal.aborted) throw error;
    });
    await ask(platform, 'talker', '/many/200');
    await ask(platform, 'talker', '/followed');
    await until('the new line arrives', () => text.includes('asked for /followed'));
    const numbers = [...text.matchAll(/: many (\d+) /g)].map((match) => Number(match[1]));
    assert.deepEqual(
      numbers,
      Array.from({ length: 200 }, (_, index) => index + 1),
    );
    abort.abort();
    await reading;
  });

  await t.test('a follower that does not read holds up neither the app nor other readers', async () => {
    const url = new URL(await logSession(platform, path, true, 1));
    let text = '';
    const stalled = connect(platform.port + 2, '127.0.0.1', () => {
      stalled.write(`GET ${url.pathname} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    });
    stalled.on('error', () => {});
    try {
      await once(stalled, 'readable');
      const begin = performance.now();
      for (let round = 0; round < ROUNDS; round += 1)
        assert.equal((await ask(platform, 'talker', `/many/${LINES}`)).status, 200);
      await ask(platform, 'talker', '/after-many');
      await untilLogged(platform, path, /asked for \/after-many/);
      assert.ok(performance.now() - begin < 60_000, 'in time');
      stalled.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
      });
      await until('it has read on to the end', () => text.includes('asked for /after-many'));
      const dropped = [...text.matchAll(/: (\d+) lines were left out/g)].reduce(
        (sum, match) => sum + Number(match[1]),
        0,
      );
      const read = [...text.matchAll(/: many \d+ x/g)].length;
      assert.ok(read + dropped >= ROUNDS * LINES * 0.99, `${read} lines read, ${dropped} told to be left out`);
    } finally {
      stalled.destroy();
    }
  });

  await t.test('goes on while the server is down', async () => {
    const before = await untilLogged(platform, path, / tick \d+$/);
    const server = await until('the server is there', () => platform.pidOf('server'));
    process.kill(server, 'SIGKILL');
    assert.equal((await ask(platform, 'talker', '/while-down')).status, 200);
    const lines = await until('the log can be read again', async () => {
      const found = await logLines(platform, path).catch(() => []);
      return found.some((line) => line.endsWith('asked for /while-down')) ? found : null;
    });
    const last = (all: readonly string[]): number =>
      Number(
        all
          .findLast((line) => / tick \d+$/.test(line))
          ?.split(' ')
          .at(-1),
      );
    assert.ok(last(lines) >= last(before));
    const ticks = lines.flatMap((line) => / tick (\d+)$/.exec(line)?.[1] ?? []).map(Number);
    assert.deepEqual(
      ticks,
      Array.from(ticks, (_, index) => (ticks[0] ?? 0) + index),
      'no tick is missing or doubled',
    );
  });
});
