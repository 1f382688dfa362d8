import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { send } from './support/http-requests.ts';
import { oneApp, rawExchange, rawSocket, startBackend, startRouter, until } from './support/router-harness.ts';

test('bodies of any size pass both ways unchanged, with a length and chunked', async (t) => {
  const backend = await startBackend(t, (incoming, response) => {
    if (incoming.headers['content-length'] !== undefined)
      response.setHeader('content-length', incoming.headers['content-length']);
    incoming.pipe(response);
  });
  const { router, port } = await startRouter(t);
  await router.apply(oneApp(1, backend.port));
  for (const size of [0, 1, 4096, 65_537, 3_000_000])
    for (const headers of [{ 'content-length': size }, { 'transfer-encoding': 'chunked' }]) {
      const body = randomBytes(size);
      const received = await new Promise<Buffer>((resolve, reject) => {
        const outgoing = request(
          { port, host: '127.0.0.1', method: 'POST', headers: { host: 'a.test', ...headers } },
          (response) => {
            const chunks: Buffer[] = [];
            response.on('data', (chunk: Buffer) => chunks.push(chunk));
            response.on('end', () => resolve(Buffer.concat(chunks)));
            response.on('error', reject);
          },
        );
        outgoing.on('error', reject);
        outgoing.end(body);
      });
      assert.equal(digest(received), digest(body), `${size} ${JSON.stringify(headers)}`);
    }
});

test('an upload waits for an instance that does not read, a download for a client that does not', async (t) => {
  let reached = false;
  let read: () => void = () => {};
  let received = 0;
  let sent = 0;
  const backend = await startBackend(t, (incoming, response) => {
    if (incoming.method === 'POST') {
      reached = true;
      read = () => {
        incoming.on('data', (chunk: Buffer) => {
          received += chunk.length;
        });
        incoming.on('end', () => response.end(String(received)));
      };
      return;
    }
    const chunk = Buffer.alloc(64 * 1024);
    const more = (): void => {
      while (sent < total) {
        sent += chunk.length;
        if (!response.write(chunk)) {
          response.once('drain', more);
          return;
        }
      }
      response.end();
    };
    more();
  });
  const total = 64 * 1024 * 1024;
  const { router, port } = await startRouter(t);
  await router.apply(oneApp(1, backend.port));

  const upload = rawSocket(port);
  upload.write(`POST / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nContent-Length: ${total}\r\n\r\n`);
  const answer = text(upload);
  let written = 0;
  const block = Buffer.alloc(256 * 1024);
  const push = (): void => {
    while (written < total) {
      written += block.length;
      if (!upload.write(block)) {
        upload.once('drain', push);
        return;
      }
    }
  };
  push();
  await until(() => reached);
  await stands(() => upload.bytesWritten);
  assert.ok(
    upload.bytesWritten - upload.writableLength < total / 2,
    `${upload.bytesWritten} went although nobody read`,
  );
  read();
  assert.match(await answer, new RegExp(`${total}$`));

  const download = rawSocket(port);
  download.pause();
  download.write('GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n');
  await until(() => sent > 0);
  await stands(() => sent);
  assert.ok(sent < total / 2, `${sent} were read ahead`);
  let got = 0;
  download.on('data', (chunk: Buffer) => {
    got += chunk.length;
  });
  download.resume();
  await new Promise((resolve) => download.once('close', resolve));
  assert.ok(got > total);
});

test('every piece of an event stream arrives as it is written, and the instance hears when the client goes', async (t) => {
  let write: (text: string) => void = () => {};
  let gone = false;
  const backend = await startBackend(t, (_incoming, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    write = (piece) => response.write(piece);
    response.on('close', () => {
      gone = true;
    });
  });
  const { router, port, lines } = await startRouter(t);
  await router.apply(oneApp(1, backend.port));
  const socket = rawSocket(port);
  let seen = '';
  socket.setEncoding('utf8').on('data', (piece: string) => {
    seen += piece;
  });
  socket.write('GET /events HTTP/1.1\r\nHost: a.test\r\n\r\n');
  await until(() => seen.includes('\r\n\r\n'));
  for (const piece of ['data: 1\n\n', 'data: 2\n\n']) {
    write(piece);
    await until(() => seen.includes(piece));
  }
  socket.destroy();
  await until(() => gone);
  await until(() => lines('a').some((line) => /code=H27 .*status=499/.test(line.text)));
});

test("100-continue is the instance's word, trailers pass, early hints pass", async (t) => {
  const backend = await startBackend(t, async (incoming, response) => {
    response.writeEarlyHints({ link: '</x.css>; rel=preload' });
    const body = await text(incoming);
    response.writeHead(200, { trailer: 'X-Sum' });
    response.write(`${body} ${incoming.trailers['x-from-client'] ?? ''}`);
    response.addTrailers({ 'X-Sum': '42' });
    response.end();
  });
  let continued = 0;
  backend.server.on('checkContinue', (incoming, response) => {
    continued++;
    response.writeContinue();
    backend.server.emit('request', incoming, response);
  });
  const { router, port } = await startRouter(t);
  await router.apply(oneApp(1, backend.port));
  const socket = rawSocket(port);
  let seen = '';
  socket.setEncoding('latin1').on('data', (piece: string) => {
    seen += piece;
  });
  socket.write('POST / HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n');
  await until(() => seen.startsWith('HTTP/1.1 100 '));
  assert.equal(continued, 1);
  socket.write('2\r\nhi\r\n0\r\nX-From-Client: there\r\n\r\n');
  await until(() => seen.endsWith('\r\n0\r\nX-Sum: 42\r\n\r\n'));
  assert.match(seen, /HTTP\/1\.1 103 Early Hints\r\nlink: /i);
  assert.match(seen, /hi there/);
  socket.destroy();
});

test('a client of HTTP/1.0 gets no chunks', async (t) => {
  const backend = await startBackend(t, (_incoming, response) => {
    response.write('one ');
    response.end('two');
  });
  const { router, port } = await startRouter(t);
  await router.apply(oneApp(1, backend.port));
  const answer = await rawExchange(port, 'GET / HTTP/1.0\r\nHost: a.test\r\n\r\n');
  assert.match(answer, /\r\n\r\none two$/);
  assert.doesNotMatch(answer, /transfer-encoding/i);
});

test('an answer before the end of the upload reaches the client', async (t) => {
  const backend = await startBackend(t, (_incoming, response) => response.writeHead(413).end('enough'));
  const { router, port } = await startRouter(t);
  await router.apply(oneApp(1, backend.port));
  const answer = await rawExchange(port, 'POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000000\r\n\r\nsome');
  assert.match(answer, /^HTTP\/1\.1 413 /);
  assert.match(answer, /enough/);
});

test('an instance that dies in its answer cuts the client off instead of ending well', async (t) => {
  const backend = await startBackend(t, (incoming, response) => {
    if (incoming.url === '/length') response.setHeader('content-length', 100);
    response.write('half');
    setTimeout(() => response.destroy(), 20);
  });
  const { router, port, lines } = await startRouter(t);
  await router.apply(oneApp(1, backend.port));
  await assert.rejects(send(port, 'a.test', '/length'));
  await assert.rejects(send(port, 'a.test', '/chunked'));
  await until(() => lines('a').filter((line) => line.text.includes('code=H18')).length === 2);
});

test('pipelined requests are answered in order, also behind a body', async (t) => {
  const backend = await startBackend(t, async (incoming, response) => {
    const body = await text(incoming);
    response.end(`[${incoming.url} ${body}]`);
  });
  const { router, port } = await startRouter(t);
  await router.apply(oneApp(1, backend.port));
  const head = (method: string, path: string): string => `${method} ${path} HTTP/1.1\r\nHost: a.test\r\n`;
  let bytes = `${head('POST', '/p')}Content-Length: 3\r\n\r\nabc${head('POST', '/c')}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`;
  for (let at = 0; at < 50; at++) bytes += `${head('GET', `/${at}`)}\r\n`;
  const answer = await rawExchange(port, bytes, (soFar) => soFar.includes('[/49 ]'));
  assert.deepEqual(answer.match(/\[[^\]]*\]/g), [
    '[/p abc]',
    '[/c x]',
    ...Array.from({ length: 50 }, (_, at) => `[/${at} ]`),
  ]);
});

test('bytes that come one by one are read like those that come at once', async (t) => {
  const backend = await startBackend(t, async (incoming, response) => {
    response.end(`got ${await text(incoming)}`);
  });
  const { router, port } = await startRouter(t);
  await router.apply(oneApp(1, backend.port));
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let seen = '';
  socket.setEncoding('utf8').on('data', (piece: string) => {
    seen += piece;
  });
  for (const byte of 'POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n')
    await new Promise<void>((resolve) => socket.write(byte, () => setImmediate(resolve)));
  await until(() => seen.includes('got hi!'));
  socket.destroy();
});

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Resolves when a figure has stopped moving. */
async function stands(figure: () => number): Promise<void> {
  let last = figure();
  let since = performance.now();
  await until(() => {
    if (figure() !== last) {
      last = figure();
      since = performance.now();
    }
    return performance.now() - since > 300;
  });
}
