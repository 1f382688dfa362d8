/** Serves one session over an upgraded connection, with back-pressure both ways. */
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { type Control, encodeFrame, FrameReader, frame } from './frames.ts';
import type { AgentSession } from './sessions.ts';
import { errorToWire } from './wire.ts';

/** Reads the opening frame, opens the session by it, and carries frames until it ends or the client goes. */
export function serveSession(socket: Socket, head: Buffer, open: (text: string) => Promise<AgentSession>): void {
  const reader = new FrameReader();
  let session: AgentSession | null = null;
  let opening = false;
  let gone = false;

  const take = (chunk: Buffer): void => {
    for (const { kind, payload } of reader.push(chunk)) {
      if (kind === frame.open && !opening) {
        opening = true;
        void begin(payload.toString('utf8'));
      } else if (session === null) continue;
      else if (kind === frame.stdin) feed(session, payload);
      else if (kind === frame.stdinEnd) session.stdin.end();
      else if (kind === frame.control) steer(session, JSON.parse(payload.toString('utf8')) as Control);
    }
  };
  // The connection itself is never left unread for a command that reads slowly: signals, and the client's leaving, come on it too.
  const feed = (to: AgentSession, payload: Buffer): void => {
    const taken = (): void => void (socket.writable && socket.write(encodeFrame(frame.stdinTaken)));
    // A command that has closed its stdin takes everything, as far as the client is concerned.
    if (to.stdin.writable) to.stdin.write(payload, taken);
    else taken();
  };
  const begin = async (text: string): Promise<void> => {
    try {
      session = await open(text);
    } catch (error) {
      socket.end(encodeFrame(frame.failed, JSON.stringify(errorToWire(error))));
      return;
    }
    if (gone) return session.abandon();
    await carry(socket, session);
  };
  socket.on('data', (chunk: Buffer) => {
    try {
      take(chunk);
    } catch {
      socket.destroy();
    }
  });
  socket.on('error', () => {});
  // A client never ends its side alone, and an upgraded connection would otherwise stay half open.
  socket.on('end', () => socket.destroy());
  socket.on('close', () => {
    gone = true;
    session?.abandon();
  });
  if (head.length > 0) socket.unshift(head);
}

function steer(session: AgentSession, control: Control): void {
  if (control.kind === 'resize') session.resize({ columns: control.columns, rows: control.rows });
  else if (isSignal(control.signal)) session.kill(control.signal);
}

export const isSignal = (name: string): name is NodeJS.Signals => Object.hasOwn(constants.signals, name);

async function carry(socket: Socket, session: AgentSession): Promise<void> {
  socket.write(encodeFrame(frame.opened, JSON.stringify({ stderr: session.stderr !== null })));
  const outputs = [
    { kind: frame.stdout, stream: session.stdout },
    ...(session.stderr === null ? [] : [{ kind: frame.stderr, stream: session.stderr }]),
  ];
  const ends = outputs.map(
    ({ kind, stream }) =>
      new Promise<void>((resolve) => {
        stream.on('data', (chunk: Buffer) => {
          if (socket.destroyed || socket.write(encodeFrame(kind, chunk))) return;
          for (const output of outputs) output.stream.pause();
          socket.once('drain', () => {
            for (const output of outputs) output.stream.resume();
          });
        });
        stream.once('close', resolve);
        stream.once('error', () => resolve());
        if (stream.destroyed) resolve();
      }),
  );
  const exit = await session.exit;
  await Promise.all(ends);
  if (!socket.destroyed) socket.end(encodeFrame(frame.exit, JSON.stringify(exit)));
}
