/** The log URL as a WebSocket: new lines as they are written, and a ping now and then. */
import { knownFailure } from '../../../http/failure.ts';
import type { WebSocketRoute } from '../../../http/streaming/upgrades.ts';
import { FrameSocket } from '../frame-socket.ts';
import type { ScalingoParts } from '../settings.ts';
import { logFrames, pingFrame } from './log-frames.ts';
import { LogSession, logRequest } from './log-session.ts';

const PING_MS = 20_000;
const REFUSED = 1008;
const FAILED = 1011;

export function logStream(parts: ScalingoParts): WebSocketRoute {
  const { clock, logger } = parts;
  return {
    path: /^\/apps\/(?<app>[^/]+)\/logs\/?$/,
    open: async ({ url }) => {
      const session = new LogSession(parts, url.searchParams.get('token') ?? '');
      const { lines, filter } = logRequest(url.searchParams);
      await session.check();
      return (socket) => {
        const frames = new FrameSocket(socket);
        const end = (error: unknown): void => {
          if (frames.signal.aborted) return;
          const known = knownFailure(error) !== null;
          if (!known) logger.error({ err: error }, 'a stream of logs failed');
          frames.close(known ? REFUSED : FAILED, known ? 'not allowed' : 'failed');
        };
        const follow = async (): Promise<void> => {
          const batches = await session.read({ lines, follow: true, signal: frames.signal }, filter);
          for await (const frame of logFrames(batches, clock)) await frames.send(frame);
        };
        frames.every(
          PING_MS,
          async () => {
            await session.check();
            await frames.send(pingFrame(clock.now()));
          },
          end,
        );
        follow().catch(end);
      };
    },
  };
}
