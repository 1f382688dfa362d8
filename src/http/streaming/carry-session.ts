/** Joins a running command with a client's connection: bytes both ways, each at the pace of its reader. */
import type { Duplex } from 'node:stream';
import type { ExecSession } from '../../core/ports/engine.ts';
import { endSoftly } from './end-softly.ts';

export interface CarryOptions {
  /** Whether the client's bytes are the command's stdin; otherwise that is empty and they are thrown away. */
  readonly stdin: boolean;
  /** What is sent for a piece of the output; null: it is not wanted. */
  readonly stdout: ((piece: Buffer) => Buffer) | null;
  readonly stderr: ((piece: Buffer) => Buffer) | null;
}

/** Between asking a command to end because its client has left, and killing it. */
const HANG_UP_MS = 5_000;
const PROBE_EVERY_MS = 2_000;

/**
 * Resolves when the command has ended and all its output was handed to the connection, which then ends. A client that ends its side ends
 * stdin and goes on reading; one that closes or breaks the connection is gone, and the command with it. One that closes while the command
 * is silent looks the same as the former until its kernel answers a keep-alive probe with a reset, which takes about a minute.
 */
export async function carrySession(session: ExecSession, socket: Duplex, options: CarryOptions): Promise<void> {
  const outputs = [
    { source: session.stdout, encode: options.stdout },
    ...(session.stderr === null ? [] : [{ source: session.stderr, encode: options.stderr }]),
  ];
  let over = false;
  const leave = (): void => {
    if (over) return;
    // Nobody reads any more, and the command must not wait for that.
    for (const { source } of outputs) source.resume();
    session.stdin.end();
    void hangUp(session);
  };
  socket.once('close', leave);
  // A connection that is not read, because stdin is full or has ended, does not tell that the client has broken it off. Writing nothing does.
  const probing = setInterval(() => {
    if (socket.writable && socket.writableLength === 0) socket.write(Buffer.alloc(0));
  }, PROBE_EVERY_MS);
  if (socket.destroyed) leave();
  if (options.stdin) feed(socket, session.stdin);
  else {
    session.stdin.end();
    socket.resume();
  }
  try {
    await Promise.all([session.exit, ...outputs.map(({ source, encode }) => send(source, socket, encode))]);
    endSoftly(socket);
  } catch {
    // The engine lost the command: a plain end would look as if it had ended.
    socket.destroy();
  } finally {
    over = true;
    clearInterval(probing);
  }
}

/** Ends a command that nobody waits for any more. */
export async function hangUp(session: ExecSession): Promise<void> {
  const kill = (signal: string): Promise<void> => session.kill(signal).catch(() => {});
  const timer = setTimeout(() => void kill('SIGKILL'), HANG_UP_MS);
  await kill('SIGHUP');
  await session.exit.catch(() => {});
  clearTimeout(timer);
}

function feed(socket: Duplex, stdin: NodeJS.WritableStream): void {
  stdin.on('error', () => {});
  // A command may end, or close its stdin, while more is on its way: the rest is nobody's.
  stdin.once('close', () => socket.resume());
  socket.on('data', (piece: Buffer) => {
    if (!stdin.writable || stdin.write(piece)) return;
    socket.pause();
    stdin.once('drain', () => socket.resume());
  });
  // It may have ended before it became the command's.
  if (socket.readableEnded) stdin.end();
  else socket.once('end', () => stdin.end());
}

/** Resolves when the source has ended. */
function send(source: NodeJS.ReadableStream, socket: Duplex, encode: CarryOptions['stdout']): Promise<void> {
  return new Promise((resolve) => {
    source.once('end', resolve);
    source.once('close', resolve);
    source.once('error', () => resolve());
    source.on('data', (piece: Buffer) => {
      if (encode === null || !socket.writable || socket.write(encode(piece))) return;
      source.pause();
      socket.once('drain', () => source.resume());
    });
  });
}
