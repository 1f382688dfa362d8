/** A hijacked connection to an exec or an attached container as the streams that people use, with back-pressure. */
import type { Socket } from 'node:net';
import { Readable, Writable } from 'node:stream';
import type { ExecSession, InstanceExit, TerminalSize } from '../../core/ports/engine.ts';
import { type OutputFrame, OutputFrames } from './api/frames.ts';

export interface SessionParts {
  readonly socket: Socket;
  /** What came with the head of the answer. */
  readonly head: Buffer;
  readonly terminal: boolean;
  /** Asked once, after the connection ended. */
  readonly exit: () => Promise<InstanceExit>;
  readonly resize: (size: TerminalSize) => Promise<void>;
  readonly kill: (signal: string) => Promise<void>;
  /** The caller gave up both ends before it was over. */
  readonly abandon: () => void;
}

export function openSession(parts: SessionParts): ExecSession {
  const { socket, head, terminal } = parts;
  const frames = new OutputFrames();
  /** Outputs whose reader is full; the connection is read only while there is none. */
  const full = new Set<Readable>();
  let over = false;
  const output = (): Readable => {
    const stream: Readable = new Readable({
      read: () => {
        full.delete(stream);
        if (full.size === 0) socket.resume();
      },
    });
    return stream;
  };
  const stdout = output();
  const stderr = output();
  const push = (stream: Readable, payload: Buffer): void => {
    if (stream.destroyed || stream.push(payload)) return;
    full.add(stream);
    socket.pause();
  };
  const take = (chunk: Buffer): void => {
    if (chunk.length === 0) return;
    const parted: readonly OutputFrame[] = terminal ? [{ source: 'stdout', payload: chunk }] : frames.push(chunk);
    for (const { source, payload } of parted) push(source === 'stdout' ? stdout : stderr, payload);
  };
  const exit = new Promise<InstanceExit>((resolve, reject) => {
    const finish = (): void => {
      if (over) return;
      over = true;
      stdout.push(null);
      stderr.push(null);
      parts.exit().then(resolve, reject);
    };
    socket.once('end', finish);
    socket.once('close', finish);
  });
  // A caller that only waits for the streams need not also wait for the exit.
  exit.catch(() => {});
  const givenUp = (): void => {
    if (over || !stdout.destroyed || !stdin.destroyed) return;
    parts.abandon();
    socket.destroy();
  };
  const stdin = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      if (socket.writable) socket.write(chunk, () => done());
      else done();
    },
    final: (done) => {
      if (socket.writable) socket.end(() => done());
      else done();
    },
    destroy: (error, done) => {
      done(error);
      setImmediate(givenUp);
    },
  });
  stdout.once('close', () => {
    full.delete(stdout);
    if (full.size === 0) socket.resume();
    givenUp();
  });
  if (terminal) stderr.resume();
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    try {
      take(chunk);
    } catch (error) {
      socket.destroy(error instanceof Error ? error : undefined);
    }
  });
  try {
    take(head);
  } catch (error) {
    socket.destroy(error instanceof Error ? error : undefined);
  }
  return { stdin, stdout, stderr: terminal ? null : stderr, exit, resize: parts.resize, kill: parts.kill };
}
