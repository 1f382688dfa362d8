/** One-offs as the command line clients run them: attached by CONNECT, steered beside it, and detached. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { suite, type TestContext, test } from 'node:test';
import { rawExchange } from '../../support/raw-exchange.ts';
import { until } from '../../support/until.ts';
import { livePlatform } from './live.ts';
import { type Attached, attach } from './run-client.ts';
import { basic } from './served.ts';

const NAME = 'run-app';
const source = {
  Procfile: 'web: node server.js\n',
  'package.json': '{"name":"run","private":true}',
  'server.js': "require('http').createServer((q, r) => r.end('ok')).listen(process.env.PORT);\n",
};

interface Container {
  readonly id: string;
  readonly type: string;
  readonly type_index: number;
  readonly label: string;
  readonly state: string;
  readonly memory: number;
  readonly size: string;
  readonly command: string;
}
interface Ran {
  readonly container: Container & { readonly app: { readonly name: string }; readonly attach_url: string };
  readonly attach_url: string;
}

suite('run', () => {
  const live = livePlatform();
  const app = `/apps/${NAME}`;
  test('an app to run things beside', async () => {
    const early = await live.createApp('run-empty');
    const refused = await live.send('POST', '/apps/run-empty/run', { command: 'ls' });
    assert.deepEqual([early.name, refused.status], ['run-empty', 422], 'nothing is deployed that could run');
    await live.runningApp(NAME, source);
  });

  async function run(body: object): Promise<Ran> {
    const answer = await live.send('POST', `${app}/run`, body);
    assert.equal(answer.status, 200, answer.text);
    return answer.json<Ran>();
  }
  const ps = async (): Promise<readonly Container[]> =>
    (await live.send('GET', `${app}/ps`)).json<{ containers: readonly Container[] }>().containers;
  const oneOffs = async (): Promise<readonly string[]> =>
    (await ps()).filter(({ type }) => type === 'one-off').map(({ label }) => label);
  const untilRuns = (label: string): Promise<unknown> =>
    until(`${label} runs`, async () => (await ps()).find((item) => item.label === label)?.state === 'running');
  /** A way to read what a container has printed to the app's log. */
  async function logOf(label: string): Promise<() => Promise<string>> {
    const { logs_url } = (await live.send('GET', `${app}/logs`)).json<{ logs_url: string }>();
    return async () => (await fetch(`${logs_url}&n=100&filter=${label}`)).text();
  }
  const connect = (t: TestContext, { attach_url }: Ran): Promise<Attached> =>
    attach(t, attach_url, live.platform().token);
  const resize = (ran: Ran, width: string, height: string) => live.send('PUT', ran.attach_url, { width, height });
  const wait = (ran: Ran) => live.send('GET', `${ran.attach_url}/wait`);

  test('attached: the head alone, then a terminal of the told size, then the exit code', async (t) => {
    const ran = await run({
      command:
        'echo "$GREETING from $TERM"; until [ "$(stty size)" = "43 132" ]; do sleep 0.1; done; stty size; read line; echo "heard: $line"; exit 7',
      env: { GREETING: 'hällo', TERM: 'vt220', CLIENT_OS: 'linux' },
    });
    assert.deepEqual(
      [ran.container.type, ran.container.state, ran.container.size, ran.container.memory, ran.container.app.name],
      ['one-off', 'booting', 'M', 512 * 1024 * 1024, NAME],
    );
    assert.ok(ran.container.type_index >= 1);
    assert.equal(ran.container.attach_url, ran.attach_url);
    assert.deepEqual(await oneOffs(), [ran.container.label], 'ps shows it before it runs');
    // At once, as clients do: whether it waits, is being started or runs when the size comes, it gets it.
    const [terminal, sized] = await Promise.all([connect(t, ran), resize(ran, '132', '43')]);
    assert.deepEqual([terminal.status, terminal.withHead], [200, 0]);
    assert.equal(sized.status, 200);
    await terminal.says(/hällo from vt220\r\n43 132\r\n$/);
    await untilRuns(ran.container.label);
    terminal.socket.write('wörld\r');
    await terminal.says(/heard: wörld\r\n/);
    await terminal.closed;
    const ended = await wait(ran);
    assert.deepEqual([ended.status, ended.json()], [200, { exit_code: 7 }]);
    assert.deepEqual(await oneOffs(), [], 'ps shows it no more');
    assert.equal((await resize(ran, '80', '24')).status, 200, 'late sizes are harmless');
  });

  test('a client that tells its size only after the first output sees all of it', async (t) => {
    const ran = await run({ command: 'echo first; sleep 0.2; stty size; read x' });
    const terminal = await connect(t, ran);
    await terminal.says(/^first\r\n24 80\r\n/);
    assert.equal((await resize(ran, '100', '30')).status, 200);
    terminal.socket.write('\x03');
    await terminal.closed;
    assert.deepEqual((await wait(ran)).json(), { exit_code: 130 }, 'interrupted');
  });

  test('the end of what is typed comes as byte 04, and wait may be asked before the end', async (t) => {
    const ran = await run({ command: 'cat > /tmp/typed; md5sum < /tmp/typed' });
    const terminal = await connect(t, ran);
    // At once: what is typed before it runs is not lost.
    terminal.socket.write('one line\n\x04');
    const waiting = wait(ran);
    await resize(ran, '80', '24');
    await terminal.says(new RegExp(createHash('md5').update('one line\n').digest('hex')));
    assert.deepEqual((await waiting).json(), { exit_code: 0 });
  });

  test('bytes arrive as they are, many of them, both ways', async (t) => {
    const size = 4 * 1024 * 1024;
    const ran = await run({
      command: `stty raw -echo; echo ready; head -c ${size} | sha256sum; head -c ${size} /dev/urandom | tee /tmp/sent; sha256sum /tmp/sent`,
    });
    const terminal = await connect(t, ran);
    await resize(ran, '80', '24');
    await terminal.says(/ready\r?\n/);
    const bytes = Buffer.alloc(size);
    for (let at = 0; at < size; at += 1) bytes[at] = (at * 7 + (at >> 8)) & 0xff;
    // Nobody reads for a while: what does not fit must wait and not be lost.
    terminal.socket.pause();
    terminal.socket.write(bytes);
    setTimeout(() => terminal.socket.resume(), 300);
    await terminal.closed;
    const output = terminal.output();
    const sum = createHash('sha256').update(bytes).digest('hex');
    const begin = output.indexOf(`${sum}  -\n`);
    assert.ok(begin >= 0, 'what was sent arrived whole');
    const from = begin + sum.length + 4;
    const random = output.subarray(from, from + size);
    const said = output.subarray(from + size).toString('utf8');
    assert.equal(said, `${createHash('sha256').update(random).digest('hex')}  /tmp/sent\n`, 'and what came back');
  });

  test('files are there when it starts', async (t) => {
    const ran = await run({
      command: 'sha256sum /tmp/uploads/*; whoami; rm /tmp/uploads/b.bin && echo removed',
      has_uploads: true,
    });
    const { platform } = live;
    const binary = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 13) & 0xff));
    for (const [name, content] of [
      ['a text.txt', Buffer.from('hello\r\n--not the boundary')],
      ['b.bin', binary],
    ] as const) {
      const form = new FormData();
      form.append('file', new Blob([new Uint8Array(content)]), name);
      const sent = await fetch(`${ran.attach_url}/files`, {
        method: 'POST',
        headers: { authorization: basic(platform().token) },
        body: form,
      });
      assert.equal(sent.status, 200, await sent.text());
    }
    const terminal = await connect(t, ran);
    await resize(ran, '80', '24');
    await terminal.closed;
    const output = terminal.output().toString('utf8');
    for (const content of [Buffer.from('hello\r\n--not the boundary'), binary])
      assert.ok(output.includes(createHash('sha256').update(content).digest('hex')), output);
    assert.match(output, /removed/, 'they are its own');
    for (const [body, type] of [
      ['x', 'text/plain'],
      ['--b\r\n\r\nx', 'multipart/form-data; boundary=b'],
    ] as const) {
      const other = await run({ command: 'true' });
      const refused = await fetch(`${other.attach_url}/files`, {
        method: 'POST',
        headers: { authorization: basic(platform().token), 'content-type': type },
        body,
      });
      assert.equal(refused.status, 400, await refused.text());
      await live.send('POST', `${app}/containers/${other.container.id}/stop`);
    }
    const late = new FormData();
    late.append('file', new Blob(['x']), 'late');
    const refused = await fetch(`${ran.attach_url}/files`, {
      method: 'POST',
      headers: { authorization: basic(platform().token) },
      body: late,
    });
    assert.equal(refused.status, 422, 'it has begun');
  });

  test('detached: it starts at once, and prints to the log of the app under its label', async () => {
    const ran = await run({ command: 'echo "detached says hello"; sleep 60', detached: true, size: 'S' });
    assert.equal(ran.attach_url, undefined);
    assert.deepEqual([ran.container.size, ran.container.memory], ['S', 256 * 1024 * 1024]);
    const { label } = ran.container;
    const log = await logOf(label);
    await until('its line is in the log', async () => (await log()).includes(`[${label}] detached says hello`));
    await untilRuns(label);
    assert.equal((await live.send('POST', `${app}/containers/${ran.container.id}/stop`, {})).status, 202);
    await until('it is stopped', async () => !(await oneOffs()).includes(label));
    assert.equal((await live.send('POST', `${app}/containers/${ran.container.id}/stop`, {})).status, 404);
  });

  test('signals, labels, and what cannot be stopped', async () => {
    const { container } = await run({
      command: "trap 'echo got it; exit 0' USR1; echo ready; while :; do sleep 0.1; done",
      detached: true,
    });
    const kill = (signal: unknown, id = container.label) =>
      live.send('POST', `${app}/containers/${id}/kill`, { signal });
    const log = await logOf(container.label);
    await until('it is ready', async () => (await log()).includes('ready'));
    assert.equal((await kill('SIGNOPE')).status, 422);
    assert.equal((await kill('SIGUSR1', 'web-9')).status, 404);
    assert.equal((await kill('SIGUSR1')).status, 204);
    await until('it ends by itself', async () => (await log()).includes('got it'));
    await until('it is gone', async () => !(await oneOffs()).includes(container.label));
    assert.equal(
      (await live.send('POST', `${app}/containers/web-1/stop`, {})).status,
      422,
      'only one-offs are stopped',
    );
  });

  test('one that waits can be stopped before it begins; nobody attaches twice or to another one', async (t) => {
    const waiting = await run({ command: 'sleep 60' });
    assert.equal((await live.send('POST', `${app}/containers/${waiting.container.label}/stop`, {})).status, 202);
    assert.deepEqual(await oneOffs(), []);
    assert.equal((await connect(t, waiting)).status, 422);
    assert.equal((await wait(waiting)).status, 404);

    const ran = await run({ command: 'sleep 60' });
    const first = await connect(t, ran);
    assert.equal(first.status, 200);
    assert.equal((await connect(t, ran)).status, 422, 'one client only');
    first.socket.destroy();
    await until('it ends with its client', async () => !(await oneOffs()).includes(ran.container.label), 30_000);

    const { pathname, host } = new URL(ran.attach_url);
    const port = live.platform().port + 4;
    const without = await rawExchange(port, `CONNECT ${pathname} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    assert.match(without, /^HTTP\/1\.1 401 /);
    const bad = pathname.slice(0, -4);
    const authorization = `Authorization: ${basic(live.platform().token)}\r\n`;
    assert.match(
      await rawExchange(port, `CONNECT ${bad} HTTP/1.1\r\nHost: ${host}\r\n${authorization}\r\n`),
      /^HTTP\/1\.1 404 /,
    );
    assert.match(
      await rawExchange(port, `CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n${authorization}\r\n`),
      /^HTTP\/1\.1 404 /,
    );
  });

  test('asked for in the way of 2023: an operation that names the address to attach to', async (t) => {
    const answer = await live.send('POST', `${app}/run`, { command: 'echo done', async: true, size: '' });
    const location = answer.headers.get('location') ?? '';
    const { operation } = (await live.send('GET', location)).json<{
      operation: { status: string; type: string; start_one_off_data: { attach_url: string; container_id: string } };
    }>();
    const { container } = answer.json<Ran>();
    assert.deepEqual(
      [operation.status, operation.type, operation.start_one_off_data.container_id],
      ['done', 'start-one-off', container.id],
    );
    const ran = { container, attach_url: operation.start_one_off_data.attach_url };
    const terminal = await connect(t, ran);
    await terminal.says(/done\r\n/);
    await terminal.closed;
  });

  test('input that is refused', async () => {
    for (const [body, field] of [
      [{}, 'command'],
      [{ command: ' ' }, 'command'],
      [{ command: 'ls', size: 'GIANT' }, 'size'],
      [{ command: 'ls', env: ['A'] }, 'env'],
      [{ command: 'ls', env: { A: 1 } }, 'env'],
      [{ command: 'ls', env: { 'not a name': 'x' } }, 'env'],
    ] as const) {
      const refused = await live.send('POST', `${app}/run`, body);
      assert.deepEqual(
        [refused.status, Object.keys(refused.json<{ errors: object }>().errors)],
        [422, [field]],
        refused.text,
      );
    }
    const ran = await run({ command: 'true' });
    for (const size of [{ width: 'x', height: '1' }, { width: '0', height: '1' }, { height: '1' }])
      assert.equal((await live.send('PUT', ran.attach_url, size)).status, 422);
    await live.send('POST', `${app}/containers/${ran.container.id}/stop`);
  });
});
