// test-timeout: 300
/** Commands beside a running instance, over the wire: ways to ask, streams both ways, ends, and large transfers. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { after, before, suite, type TestContext, test } from 'node:test';
import { startPlatform, type TestPlatform } from '../../support/platform.ts';
import { processesWith } from '../../support/processes.ts';
import { until } from '../../support/until.ts';
import { demultiplexed, type ExecAnswer, type ExecCall, exec, upgradeHeaders } from './exec-client.ts';
import { type RunningApp, runApp } from './running.ts';
import { appIs, type Swarm, swarmOf, unique } from './swarm.ts';

const MEBIBYTE = 1024 * 1024;
const idle = { Procfile: 'web: node idle.js\n', 'package.json': '{}', 'idle.js': 'setInterval(() => {}, 1000)\n' };

suite('exec', () => {
  const endings: (() => Promise<void>)[] = [];
  let platform: TestPlatform;
  let swarm: Swarm;
  let app: RunningApp;
  before(async () => {
    platform = await startPlatform({ after: (work: () => Promise<void>) => void endings.push(work) });
    swarm = swarmOf(platform, platform.token);
    app = await runApp(platform, swarm, idle);
  });
  after(async () => {
    for (const end of endings) await end();
  });

  const run = (t: TestContext, body: unknown, rest: Partial<ExecCall> = {}): Promise<ExecAnswer> =>
    exec(t, { port: platform.port + 1, token: platform.token, instance: app.ids[0], body, ...rest });
  const shell = (script: string, flags: object = {}) => ({ cmd: ['sh', '-c', script], ...flags });
  const both = { 'attach-stdin': true, 'attach-stdout': true, 'attach-stderr': true };
  const said = async (t: TestContext, body: unknown, rest: Partial<ExecCall> = {}): Promise<string> =>
    (await (await run(t, body, rest)).ended).toString();

  test('the document’s example, with and without an upgrade', async (t) => {
    const body = { cmd: ['ps', '-ax'], detach: false, 'attach-stdout': true, 'attach-stdin': true, raw: true };
    for (const headers of [{}, upgradeHeaders]) {
      const answer = await run(t, body, { headers });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['content-type'], 'application/vnd.docker.raw-stream');
      const text = (await answer.ended).toString();
      assert.match(text, /^ +PID TTY /);
      assert.match(text, /node idle\.js/);
    }
  });

  test('detached: the answer comes at once, the command goes on', async (t) => {
    const file = `/tmp/${unique('detached')}`;
    const answer = await run(t, shell(`sleep 0.5; echo done > ${file}`, { detach: true, ...both }));
    assert.deepEqual([answer.status, answer.headers['content-type']], [200, 'application/json; charset=utf-8']);
    assert.deepEqual(JSON.parse((await answer.ended).toString()), { status_code: 10000, status_text: 'success' });
    answer.socket.destroy();
    await until('the command has ended', async () => (await said(t, shell(`cat ${file}`, { raw: true }))) === 'done\n');
  });

  test('two outputs in frames, or as they come; only those that are attached', async (t) => {
    const script = 'echo out; echo err >&2';
    const framed = demultiplexed(await (await run(t, shell(script))).ended);
    assert.deepEqual([String(framed.stdout), String(framed.stderr)], ['out\n', 'err\n']);
    const only = demultiplexed(await (await run(t, shell(script, { 'attach-stderr': true }))).ended);
    assert.deepEqual([String(only.stdout), String(only.stderr)], ['', 'err\n']);
    assert.deepEqual((await said(t, shell(script, { raw: true }))).split('\n').sort(), ['', 'err', 'out']);
    assert.equal(await said(t, shell(script, { raw: true, 'attach-stdout': true })), 'out\n');
  });

  for (const [name, headers] of [
    ['a plain request', {}],
    ['an upgrade', upgradeHeaders],
  ] as const)
    test(`stdin of ${name}: early bytes, later bytes, to its end; the output after it still arrives`, async (t) => {
      const tempting = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';
      const body = shell('cat; sleep 0.3; echo after', { ...both, raw: true });
      const answer = await run(t, body, { headers, early: tempting });
      await until('the early bytes are back', () => answer.output().toString() === tempting);
      answer.socket.end('later\n');
      assert.equal((await answer.ended).toString(), `${tempting}later\nafter\n`);
    });

  test('a body in chunks, with leave asked for', async (t) => {
    const text = JSON.stringify(shell('cat', { ...both, raw: true }));
    const socket = await withLeave(t, 'transfer-encoding: chunked\r\nexpect: 100-continue\r\n');
    socket.write(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n0\r\n\r\nstdin`);
    socket.end();
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    assert.match(Buffer.concat(chunks).toString(), /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nstdin$/);
  });

  /** Sends the head of a request and waits for the leave to send its body. */
  async function withLeave(t: TestContext, headers: string): Promise<Socket> {
    const socket = connect({ port: platform.port + 1, host: '127.0.0.1', allowHalfOpen: true });
    t.after(() => socket.destroy());
    const path = `/v1/org/main/instance/${app.ids[0]}/exec`;
    socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: giantswarm ${platform.token}\r\n${headers}\r\n`);
    assert.equal(String((await once(socket, 'data'))[0]), 'HTTP/1.1 100 Continue\r\n\r\n');
    return socket;
  }

  test('on the shared port by Host, and by the beginning of the id', async (t) => {
    const headers = { host: 'giantswarm.berth.localhost' };
    const body = shell('echo shared', { raw: true });
    const short = app.ids[0].slice(0, 6);
    assert.equal(await said(t, body, { port: platform.port, headers, instance: short }), 'shared\n');
    assert.equal((await run(t, body, { port: platform.port })).status, 404, 'not for other hosts');
  });

  test('stdin that is not attached is empty, and what the client sends is thrown away', async (t) => {
    const body = shell('cat; echo over', { 'attach-stdout': true, raw: true });
    assert.equal(await said(t, body, { early: 'x'.repeat(100_000) }), 'over\n');
  });

  test('a command that ends while its client still sends: all of its output arrives', async (t) => {
    const answer = await run(t, shell('head -c 5; sleep 0.2; echo; seq 1 20000', { ...both, raw: true }));
    const noise = Buffer.alloc(64 * 1024, 'x');
    const sending = setInterval(() => answer.socket.write(noise), 5);
    t.after(() => clearInterval(sending));
    const lines = (await answer.ended).toString().trim().split('\n');
    clearInterval(sending);
    assert.deepEqual([lines[0], lines.length, lines.at(-1)], ['xxxxx', 20_001, '20000']);
  });

  test('a terminal: unframed, of the size that was asked for, resized while it runs, ended by the end of stdin', async (t) => {
    const body = { cmd: ['sh'], tty: true, ...both };
    const answer = await run(t, body, { query: '?h=30&w=100', headers: upgradeHeaders });
    answer.socket.write('stty size; tty\n');
    await until('it has its size', () => /30 100\r\n\/dev\/pts\/\d/.test(answer.output().toString()));
    const path = `/org/main/instance/${app.ids[0]}/exec/${answer.headers['exec-id']}/resize`;
    assert.equal((await swarm('POST', `${path}?h=50&w=132`)).json.status_code, 10006);
    await until(
      'it has its new size',
      () => {
        answer.socket.write('stty size\n');
        return /50 132\r\n/.test(answer.output().toString());
      },
      20_000,
      100,
    );
    assert.equal((await swarm('POST', `${path}?h=0&w=132`)).json.status_code, 10013);
    answer.socket.end();
    await answer.ended;
    assert.equal((await swarm('POST', `${path}?h=50&w=132`)).status, 404);
  });

  test('a client that leaves takes its command along', async (t) => {
    for (const leave of ['resetAndDestroy', 'destroy'] as const) {
      const marker = unique('leaving');
      // Silent for who breaks off; where the connection is only closed, the next output finds out.
      const loop = leave === 'destroy' ? 'while sleep 0.1; do echo x; done' : 'sleep 1000';
      const answer = await run(t, { cmd: ['sh', '-c', loop, marker], ...both, raw: true });
      await until('it runs', async () => (await processesWith(marker)).length > 0);
      answer.socket[leave]();
      await until('it is gone', async () => (await processesWith(marker)).length === 0);
    }
  });

  test('what cannot be run is said before anything is taken over', async (t) => {
    const body = shell('true');
    const refused = async (call: Partial<ExecCall> & { body?: unknown }) => {
      const answer = await run(t, call.body ?? body, call);
      const text = (await answer.ended).toString();
      const type = answer.headers['content-type'] ?? '';
      return [answer.status, type.startsWith('application/json') ? JSON.parse(text).status_code : text.trim()];
    };
    assert.equal((await refused({ token: null }))[0], 401);
    assert.equal((await refused({ token: 'nonsense', headers: upgradeHeaders }))[0], 401);
    assert.deepEqual(await refused({ org: 'nobodys' }), [403, 'forbidden']);
    assert.deepEqual(await refused({ instance: 'zzzzzzzzzzzz' }), [404, 'instance not found']);
    for (const wrong of [
      '',
      '{',
      '[]',
      {},
      { cmd: [] },
      { cmd: 'ls' },
      { cmd: [''] },
      { cmd: ['a\0'] },
      { cmd: ['ls'], tty: 1 },
    ])
      assert.deepEqual(await refused({ body: wrong }), [400, 10013], JSON.stringify(wrong));
    assert.deepEqual(await refused({ body: { cmd: ['sh'], tty: true }, query: '?h=x&w=1' }), [400, 10013]);
    await swarm('POST', `${app.path}/stop`);
    await appIs(swarm, app.path, 'down');
    assert.deepEqual(await refused({}), [400, 10014]);
    await swarm('POST', `${app.path}/start`);
    await appIs(swarm, app.path, 'up');
    assert.equal(await said(t, shell('echo back', { raw: true })), 'back\n', 'the id is the same one');
  });

  test('100 MB to a command and back arrive whole, at the cost of little memory', async (t) => {
    const size = 100 * MEBIBYTE;
    const pid = await until('the server is there', () => platform.pidOf('server'));
    // The first pays for what the server's memory settles at under any load. Kept whole, a stream both ways would add twice its size.
    for (const [headers, most] of [
      [{}, 128 * MEBIBYTE],
      [upgradeHeaders, 96 * MEBIBYTE],
    ] as const) {
      const answer = await run(t, { cmd: ['cat'], ...both, raw: true }, { headers });
      answer.socket.removeAllListeners('data');
      const memory = await watchMemory(pid);
      const [sent, received] = [createHash('sha256'), createHash('sha256')];
      let count = 0;
      answer.socket.on('data', (chunk: Buffer) => {
        received.update(chunk);
        count += chunk.length;
      });
      const ended = once(answer.socket, 'end');
      for (let left = size; left > 0; left -= MEBIBYTE) {
        const piece = randomBytes(MEBIBYTE);
        sent.update(piece);
        if (!answer.socket.write(piece)) await once(answer.socket, 'drain');
      }
      answer.socket.end();
      await ended;
      const grown = await memory();
      assert.equal(count, size);
      assert.equal(received.digest('hex'), sent.digest('hex'));
      t.diagnostic(`the server's memory grew by ${Math.round(grown / MEBIBYTE)} MiB`);
      assert.ok(grown < most, `the server's memory grew by ${Math.round(grown / MEBIBYTE)} MiB`);
    }
  });

  test('a client that does not read stops the command, and one that does not get on stops the client', async (t) => {
    const pid = await until('the server is there', () => platform.pidOf('server'));
    const memory = await watchMemory(pid);
    const answer = await run(t, shell('head -c 200000000 /dev/zero; echo', { raw: true }));
    answer.socket.pause();
    const marker = unique('lazy');
    const lazy = await run(t, { cmd: ['sh', '-c', 'sleep 1000; true', marker], ...both, raw: true });
    let stuck = false;
    for (let sent = 0; sent < 200 && !stuck; sent += 1) {
      if (lazy.socket.write(Buffer.alloc(MEBIBYTE))) continue;
      const drained = once(lazy.socket, 'drain').then(() => false);
      stuck = await Promise.race([drained, new Promise<boolean>((resolve) => setTimeout(() => resolve(true), 1_000))]);
    }
    assert.ok(stuck, 'nothing takes 200 MB for a command that reads none of it');
    const grown = await memory();
    t.diagnostic(`the server's memory grew by ${Math.round(grown / MEBIBYTE)} MiB`);
    assert.ok(grown < 64 * MEBIBYTE, `the server's memory grew by ${Math.round(grown / MEBIBYTE)} MiB`);
    answer.socket.resume();
    assert.equal((await answer.ended).length, 200_000_001);
    lazy.socket.resetAndDestroy();
    await until('the one that did not get on is gone', async () => (await processesWith(marker)).length === 0);
  });
});

/** Samples a process's resident memory; the function that it gives ends that and says by how many bytes it had grown at most. */
async function watchMemory(pid: number): Promise<() => Promise<number>> {
  const resident = async (): Promise<number> => {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
  };
  const first = await resident();
  let most = first;
  const timer = setInterval(() => {
    void resident().then((now) => {
      most = Math.max(most, now);
    });
  }, 20);
  return async () => {
    clearInterval(timer);
    return Math.max(most, await resident()) - first;
  };
}
