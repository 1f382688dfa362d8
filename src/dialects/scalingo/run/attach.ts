/**
 * `CONNECT <attach_url's path>`: the connection becomes the terminal of the one-off, which starts now. The path stands where others have
 * `host:port`. Clients throw away what comes together with the head of the answer, so the head goes out alone, and the one-off starts when the
 * client has told its size, or a moment later: newer clients tell it only when they have seen output.
 */
import type { Duplex } from 'node:stream';
import type { Secret } from '../../../core/ports/secret.ts';
import { carrySession, hangUp } from '../../../http/streaming/carry-session.ts';
import { endSoftly } from '../../../http/streaming/end-softly.ts';
import type { RawRoute, UpgradeRequest } from '../../../http/streaming/upgrades.ts';
import { actorOf, authenticate } from '../auth.ts';
import type { ScalingoParts } from '../settings.ts';
import { oneOffIdOf } from './attach-url.ts';
import type { Attachments } from './attachments.ts';

const HEAD = 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n';
const SIZE = { columns: 80, rows: 24 };
const SIZE_WAIT_MS = 250;
const RECHECK_MS = 30_000;
/** Without a byte either way. */
const IDLE_MS = 30 * 60_000;
/** Clients tell the end of what is typed by a byte: one that ends its side has left, or is about to. */
const LEAVING_MS = 10_000;

export function attachUpgrade(parts: ScalingoParts, attachments: Attachments): RawRoute {
  const { core, logger } = parts;

  async function take({ raw, params }: UpgradeRequest, socket: Duplex, head: Buffer): Promise<void> {
    // What is typed before it runs waits on the connection.
    socket.pause();
    const { actor, credential } = await authenticate(parts, raw.headers);
    const id = oneOffIdOf(parts, params.token ?? '');
    const taken = await core.attachments.take(actor, id);
    if (head.length > 0) socket.unshift(head);
    const sized = attachments.sized(id, SIZE_WAIT_MS);
    socket.write(HEAD);
    await sized;
    if (socket.destroyed) return taken.leave();
    const session = await taken.start(SIZE).catch((error: unknown) => {
      logger.warn({ err: error, oneOff: id }, 'a one-off could not be started');
      return null;
    });
    // The answer's head is gone already: an end is all that can be said.
    if (session === null) return endSoftly(socket);

    const idle = setTimeout(() => {
      attachments.endedIdle(id);
      void hangUp(session);
    }, IDLE_MS);
    const recheck = setInterval(() => void mayStill(credential, id).catch(() => hangUp(session)), RECHECK_MS);
    socket.on('data', () => idle.refresh());
    let leaving: NodeJS.Timeout | undefined;
    const leave = (): void => {
      leaving = setTimeout(() => void hangUp(session), LEAVING_MS);
    };
    if (socket.readableEnded) leave();
    else socket.once('end', leave);
    try {
      const output = (piece: Buffer): Buffer => {
        idle.refresh();
        return piece;
      };
      const carried = carrySession(session, socket, { stdin: true, stdout: output, stderr: output });
      socket.resume();
      await carried;
    } finally {
      clearTimeout(idle);
      clearTimeout(leaving);
      clearInterval(recheck);
    }
  }

  /** Throws when the token is void by now, or its holder may not run commands in the app any more. */
  async function mayStill(credential: Secret, id: string): Promise<void> {
    await core.attachments.get(await actorOf(parts, credential), id);
  }

  return { path: /^\/v1\/one-offs\/(?<token>[\w-]+)\/?$/, methods: ['CONNECT'], take };
}
