/** The client's end of an exec or attach: node streams over one upgraded connection, with back-pressure. */
import type { Socket } from 'node:net';
import { Readable, Writable } from 'node:stream';
import { unavailable } from '../../core/errors.ts';
import type { ExecSession, InstanceExit } from '../../core/ports/engine.ts';
import { type Control, encodeFrame, FrameReader, frame, longestFrame } from './frames.ts';
import type { StoredExit } from './unit-state.ts';
import { errorFromWire, exitFromWire, type WireError } from './wire.ts';

/** How many frames of stdin may be on their way to a command: the agent's acknowledgements take their time. */
const framesAhead = 8;

/** Opens a session by its first frame. Rejects with the agent's BerthError, or `unavailable` when the connection breaks. */
export function openSession(socket: Socket, head: Buffer, opening: unknown): Promise<ExecSession> {
  const session = new ClientSession(socket);
  socket.write(encodeFrame(frame.open, JSON.stringify(opening ?? null)));
  if (head.length > 0) socket.unshift(head);
  return session.opened;
}

class ClientSession {
  readonly opened: Promise<ExecSession>;
  readonly #socket: Socket;
  readonly #reader = new FrameReader();
  readonly #stdout: Readable;
  readonly #stderr: Readable;
  readonly #exit = Promise.withResolvers<InstanceExit>();
  readonly #opening = Promise.withResolvers<ExecSession>();
  /** Outputs whose reader is full; the connection is read only while there is none. */
  readonly #full = new Set<Readable>();
  #over = false;
  /** Frames of stdin that the command has not taken yet, and what waits until they are fewer. */
  #untaken = 0;
  #stdinReady: (() => void) | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.opened = this.#opening.promise;
    const output = (): Readable => {
      const stream: Readable = new Readable({
        read: () => {
          this.#full.delete(stream);
          if (this.#full.size === 0) socket.resume();
        },
      });
      return stream;
    };
    this.#stdout = output();
    this.#stderr = output();
    // A caller that only waits for the streams need not also wait for the exit.
    this.#exit.promise.catch(() => {});
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const { kind, payload } of this.#reader.push(chunk)) this.#take(kind, payload);
      } catch (error) {
        socket.destroy(error instanceof Error ? error : undefined);
      }
    });
    socket.on('error', () => {});
    socket.on('close', () => this.#broken());
  }

  #take(kind: number, payload: Buffer): void {
    if (kind === frame.opened) {
      const { stderr } = JSON.parse(payload.toString('utf8')) as { readonly stderr: boolean };
      this.#opening.resolve(this.#session(stderr));
    } else if (kind === frame.failed) {
      this.#over = true;
      this.#opening.reject(errorFromWire(JSON.parse(payload.toString('utf8')) as WireError));
    } else if (kind === frame.stdinTaken) this.#stdinTaken(1);
    else if (kind === frame.stdout) this.#push(this.#stdout, payload);
    else if (kind === frame.stderr) this.#push(this.#stderr, payload);
    else if (kind === frame.exit) {
      this.#over = true;
      this.#stdout.push(null);
      this.#stderr.push(null);
      this.#exit.resolve(exitFromWire(JSON.parse(payload.toString('utf8')) as StoredExit));
      this.#stdinTaken(Number.POSITIVE_INFINITY);
      this.#socket.end();
    }
  }

  #push(stream: Readable, payload: Buffer): void {
    if (stream.destroyed || stream.push(payload)) return;
    this.#full.add(stream);
    this.#socket.pause();
  }

  #stdinTaken(frames: number): void {
    this.#untaken -= frames;
    if (this.#untaken >= framesAhead) return;
    const ready = this.#stdinReady;
    this.#stdinReady = null;
    ready?.();
  }

  #broken(): void {
    this.#stdinTaken(Number.POSITIVE_INFINITY);
    if (this.#over) return;
    const error = unavailable('the connection to the engine’s agent broke');
    this.#opening.reject(error);
    this.#exit.reject(error);
    this.#stdout.destroy();
    this.#stderr.destroy();
  }

  #session(hasStderr: boolean): ExecSession {
    const socket = this.#socket;
    const stdin = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (socket.destroyed || this.#over) return done();
        this.#stdinReady = done;
        for (let at = 0; at < chunk.length; at += longestFrame) {
          socket.write(encodeFrame(frame.stdin, chunk.subarray(at, at + longestFrame)));
          this.#untaken += 1;
        }
        this.#stdinTaken(0);
      },
      final: (done) => {
        if (!socket.destroyed && !this.#over) socket.write(encodeFrame(frame.stdinEnd));
        done();
      },
      destroy: (error, done) => {
        // Both ends given up means that the caller is gone, and the command goes with it.
        if (this.#stdout.destroyed && !this.#over) socket.destroy();
        done(error);
      },
    });
    const control = async (message: Control): Promise<void> => {
      if (!socket.destroyed && !this.#over) socket.write(encodeFrame(frame.control, JSON.stringify(message)));
    };
    this.#stdout.on('close', () => {
      this.#full.delete(this.#stdout);
      if (!this.#over && stdin.destroyed) socket.destroy();
    });
    if (!hasStderr) this.#stderr.resume();
    return {
      stdin,
      stdout: this.#stdout,
      stderr: hasStderr ? this.#stderr : null,
      exit: this.#exit.promise,
      resize: ({ columns, rows }) => control({ kind: 'resize', columns, rows }),
      kill: (signal) => control({ kind: 'kill', signal }),
    };
  }
}
