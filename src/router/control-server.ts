/** Serves the Router port on a unix socket that only the platform's own user may open. */
import { chmod, mkdir, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { BerthError, invalid } from '../core/errors.ts';
import type { Router } from '../core/ports/router.ts';
import type { Logger } from '../lib/logger.ts';
import { type ControlRequest, type ControlResponse, LineSplitter } from './control-protocol.ts';
import { readTable } from './table-file.ts';

export interface ControlServer {
  close(): Promise<void>;
}

/** Listens; replaces a socket file that nobody serves any more, and throws `conflict` when somebody does. */
export async function serveControl(socketPath: string, router: Router, logger: Logger): Promise<ControlServer> {
  await mkdir(dirname(socketPath), { recursive: true, mode: 0o700 });
  if (await isServed(socketPath)) throw new BerthError('conflict', 'a router is running already');
  await unlink(socketPath).catch(() => {});
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serveSocket(socket, router, logger);
  });
  await listen(server, socketPath);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

async function listen(server: Server, socketPath: string): Promise<void> {
  // The file gets its mode as it is made, so that there is no moment in which others could open it.
  const before = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(socketPath, resolve);
      process.umask(before);
    });
  } finally {
    process.umask(before);
  }
  await chmod(socketPath, 0o600);
}

function isServed(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function serveSocket(socket: Socket, router: Router, logger: Logger): void {
  const splitter = new LineSplitter();
  socket.setEncoding('utf8');
  socket.on('error', () => {});
  socket.on('data', (text: string) => {
    try {
      for (const line of splitter.push(text)) {
        const request = JSON.parse(line) as ControlRequest;
        void answer(request, router, logger).then((response) => {
          if (socket.writable) socket.write(`${JSON.stringify(response)}\n`);
        });
      }
    } catch (error) {
      logger.warn({ err: error }, 'a malformed message on the control socket');
      socket.destroy();
    }
  });
}

async function answer(request: ControlRequest, router: Router, logger: Logger): Promise<ControlResponse> {
  const { id } = request;
  try {
    return { id, result: await perform(request, router) };
  } catch (error) {
    if (error instanceof BerthError) return { id, error: { kind: error.kind, message: error.message } };
    logger.error({ err: error, verb: request.verb }, 'a control request failed');
    return { id, error: { kind: 'unavailable', message: 'the router could not do it' } };
  }
}

async function perform(request: ControlRequest, router: Router): Promise<unknown> {
  switch (request.verb) {
    case 'apply':
      await router.apply(readTable(request.input));
      return null;
    case 'drain': {
      const { targetIds, timeoutMs } = request.input as { targetIds: unknown; timeoutMs: unknown };
      if (!Array.isArray(targetIds) || typeof timeoutMs !== 'number') throw invalid('drain', 'malformed drain');
      return await router.drain(targetIds.map(String), Math.max(0, timeoutMs));
    }
    case 'counters':
      return await router.counters();
    default:
      throw invalid('verb', 'unknown verb');
  }
}
