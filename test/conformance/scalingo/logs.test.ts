/** Logs by their URL: as text, as server-sent events, over a WebSocket, with filters, and for whom. */
import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { systemActor } from '../../../src/core/access/actor.ts';
import type { LogLine } from '../../../src/core/ports/log-store.ts';
import { logLabel } from '../../../src/dialects/scalingo/logs/log-label.ts';
import { until } from '../../support/until.ts';
import { listen } from './live.ts';
import { servedForSuite } from './served.ts';

interface Frame {
  readonly event: string;
  readonly name: string;
  readonly log?: string;
}

const at = new Date('2026-02-16T02:02:43.930Z');
const line = (process: string, seat: string, text: string, source: LogLine['source'] = 'app'): LogLine => ({
  at,
  source,
  process,
  instance: 'some-instance',
  seat,
  text,
});
const stamp = '2026-02-16 02:02:43.930000000 +0000 UTC';

test('labels: seats of instances and one-offs, the router, and the platform itself', () => {
  const labels: readonly (readonly [LogLine, string])[] = [
    [line('web', '0-0', ''), 'web-1'],
    [line('web', '3-9', ''), 'web-10'],
    [line('one-off', '42', ''), 'one-off-42'],
    [line('worker', '', ''), 'worker'],
    [line('web', '0-0', '', 'router'), 'router'],
    [line('web', '0-0', '', 'platform'), 'manager'],
    [line('', '', '', 'event'), 'manager'],
    [line('', '', '', 'build'), 'manager'],
  ];
  for (const [given, label] of labels) assert.equal(logLabel(given), label);
});

suite('logs', () => {
  const { get, person } = servedForSuite();
  let made = 0;

  /** A new person's new app with a log URL, and a way to write to its log. */
  async function appWithLog() {
    const somebody = await person();
    made += 1;
    const name = `logged-app-${made}`;
    const created = await somebody.send('POST', '/apps', { app: { name } });
    assert.equal(created.status, 201, created.text);
    const { core, logs } = get();
    const { id } = await core.apps.get(systemActor, name);
    const answer = (await somebody.send('GET', `/apps/${name}/logs`)).json<{
      app: { name: string };
      logs_url: string;
    }>();
    assert.equal(answer.app.name, name);
    const write = (...lines: readonly LogLine[]): Promise<void> => logs.append(`apps/${id}`, lines);
    const read = async (query: string, headers: Record<string, string> = {}) => {
      const response = await fetch(`${answer.logs_url}${query}`, { headers });
      return { status: response.status, text: await response.text(), type: response.headers.get('content-type') ?? '' };
    };
    return { ...somebody, name, id, url: answer.logs_url, write, read };
  }
  const socketOf = (t: TestContext, url: string) => listen<Frame>(t, url.replace(/^http/, 'ws'));

  test('the URL carries its token; both verbs give one', async () => {
    const app = await appWithLog();
    assert.match(app.url, new RegExp(`^${get().url}/apps/${app.name}/logs\\?token=[\\w-]+$`));
    const posted = await app.send('POST', `/apps/${app.name}/logs`, {});
    assert.deepEqual([posted.status, typeof posted.json<{ logs_url: string }>().logs_url], [200, 'string']);
    assert.deepEqual((await app.send('GET', `/apps/${app.name}/logs_archives?page=1`)).json(), {
      archives: [],
      next_cursor: '',
      has_more: false,
    });
  });

  test('as text: lines with time and label, so many, filtered, and what to say when there are none', async () => {
    const app = await appWithLog();
    assert.deepEqual([(await app.read('')).status, (await app.read('')).text], [204, '']);
    assert.equal(
      (await app.read('', { 'user-agent': 'Go-http-client/1.1' })).status,
      404,
      'the first clients know no 204',
    );
    assert.equal((await app.read('', { 'user-agent': 'Scalingo CLI v1.31.0' })).status, 204);
    await app.write(
      line('web', '0-0', 'one  with\ttab'),
      line('web', '0-1', 'two ünïcödé 🚢'),
      line('worker', '0-0', 'three'),
      line('', '', 'Release v1 finished.', 'platform'),
      line('web', '0-0', 'method=GET path=/', 'router'),
      line('one-off', '7', 'seven'),
    );
    const all = [
      `${stamp} [web-1] one  with\ttab\n`,
      `${stamp} [web-2] two ünïcödé 🚢\n`,
      `${stamp} [worker-1] three\n`,
      `${stamp} [manager] Release v1 finished.\n`,
      `${stamp} [router] method=GET path=/\n`,
      `${stamp} [one-off-7] seven\n`,
    ];
    const [web1, web2, worker, , router, oneOff] = all;
    const whole = await app.read('&stream=false&n=100', { authorization: 'Basic Og==' });
    assert.deepEqual([whole.status, whole.text], [200, all.join('')]);
    assert.match(whole.type, /^text\/plain/);
    const cases: readonly (readonly [string, readonly (string | undefined)[]])[] = [
      ['&n=2', all.slice(-2)],
      ['&n=20&filter=web', [web1, web2]],
      ['&filter=web-1', [web1]],
      ['&filter=web-2|worker', [web2, worker]],
      ['&n=1&filter=web', [web2]],
      ['&filter=one-off-7', [oneOff]],
      ['&filter=router', [router]],
      ['&filter=', all],
      ['&timestamp=x&unknown=y', all],
    ];
    for (const [query, lines] of cases) assert.equal((await app.read(query)).text, lines.join(''), query);
    assert.equal((await app.read('&filter=cron')).status, 204);
    await app.write(...Array.from({ length: 30 }, (_, n) => line('web', '0-0', `more ${n}`)));
    assert.equal((await app.read('')).text.split('\n').length - 1, 20, 'twenty unless asked for others');
  });

  test('over a WebSocket: new lines, filtered, in frames with both keys', async (t) => {
    const app = await appWithLog();
    await app.write(line('web', '0-0', 'before'));
    const all = socketOf(t, `${app.url}&stream=true`);
    const web = socketOf(t, `${app.url}&stream=true&filter=web-1`);
    const history = socketOf(t, `${app.url}&stream=true&n=5`);
    await until('history comes when asked for', () => history.frames.length === 1);
    // Open sockets follow a moment after they opened: the line is written until it is heard.
    await until('the others follow', async () => {
      await app.write(line('web', '0-0', 'now'), line('worker', '0-0', 'elsewhere'));
      return web.frames.length > 0 && all.frames.length > 1;
    });
    assert.deepEqual(web.frames[0], { event: 'log', name: 'log', log: `${stamp} [web-1] now` });
    assert.ok(web.frames.every(({ log }) => log?.includes('[web-1]')));
    assert.ok(all.frames.some(({ log }) => log === `${stamp} [worker-1] elsewhere`));
    assert.ok(!all.frames.some(({ log }) => log?.includes('before')), 'no history unless asked for');
    const long = 'x'.repeat(50_000);
    const known = web.frames.length;
    await app.write(line('web', '0-0', long));
    const pieces = await until('a long line comes in pieces', () => {
      const texts = web.frames.slice(known).map(({ log }) => log?.replace(`${stamp} [web-1] `, '') ?? '');
      return texts.join('').endsWith(long) ? texts : null;
    });
    assert.ok(pieces.every((piece) => piece.length < 20_000));
  });

  test('as server-sent events when it is no WebSocket', async () => {
    const app = await appWithLog();
    await app.write(line('web', '0-0', 'first'));
    const left = new AbortController();
    const response = await fetch(`${app.url}&stream=true&n=1`, { signal: left.signal });
    assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
    const reader = response.body?.getReader();
    const { value } = (await reader?.read()) ?? {};
    const frame = JSON.stringify({ event: 'log', name: 'log', log: `${stamp} [web-1] first` });
    assert.equal(Buffer.from(value ?? []).toString('utf8'), `event: log\ndata: ${frame}\n\n`);
    left.abort();
  });

  test('a URL opens nothing when it is forged, of another purpose, or the token that asked for it is void', async (t) => {
    const app = await appWithLog();
    await app.write(line('web', '0-0', 'secret'));
    const stranger = await person();
    assert.equal((await stranger.send('GET', `/apps/${app.name}/logs`)).status, 404);
    const { core } = get();
    const own = (await app.send('GET', `/apps/${app.name}/logs`)).json<{ logs_url: string }>().logs_url;
    const forged = [
      own.slice(0, -2),
      `${own}A`,
      own.replace(/token=.*/, 'token='),
      own.replace(/\?.*/, ''),
      own.replace(/token=.*/, `token=${app.token}`),
    ];
    for (const url of forged) {
      assert.equal((await fetch(url)).status, 404, url);
      const socket = socketOf(t, url);
      await until('it is refused', () => socket.closed() !== null);
      assert.equal(socket.closed(), 1006);
    }
    assert.equal((await fetch(own)).status, 200);
    const session = await core.authenticator.byToken(app.token);
    await core.tokens.revoke(session, session.tokenId ?? '');
    core.authenticator.forget();
    assert.equal((await fetch(own)).status, 404, 'its token is void');
    const socket = socketOf(t, `${own}&stream=true`);
    await until('it is refused', () => socket.closed() !== null);
  });

  test('who is no collaborator any more is shut out, of streams that are open too', async (t) => {
    const app = await appWithLog();
    const guest = await person();
    const path = `/apps/${app.name}`;
    const invited = await app.send('POST', `${path}/collaborators`, { collaborator: { email: guest.email } });
    const { collaborator } = invited.json<{ collaborator: { id: string; invitation_link: string } }>();
    const token = new URL(collaborator.invitation_link).searchParams.get('token') ?? '';
    assert.equal((await guest.send('GET', `/apps/collaboration?token=${token}`)).status, 200);
    const { logs_url } = (await guest.send('GET', `${path}/logs`)).json<{ logs_url: string }>();
    const links = (await guest.send('GET', path)).json<{ app: { links: { deployments_stream: string } } }>().app.links;
    assert.equal((await fetch(logs_url)).status, 204);
    const log = socketOf(t, `${logs_url}&stream=true`);
    const deployments = listen<Frame>(t, links.deployments_stream, { type: 'auth', data: { token: guest.token } });
    await until('both are open', () => log.socket.readyState === 1 && deployments.socket.readyState === 1);
    assert.equal((await app.send('DELETE', `${path}/collaborators/${collaborator.id}`)).status, 204);
    assert.equal((await fetch(logs_url)).status, 404);
    await until('both are closed', () => log.closed() !== null && deployments.closed() !== null, 60_000);
    assert.deepEqual([log.closed(), deployments.closed()], [1008, 1008]);
  });
});
