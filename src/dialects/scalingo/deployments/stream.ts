/**
 * The live stream of an app's deployments, over a WebSocket that anybody may open: who it is says the client's first frame. Frames are
 * those of the documents, but `new` has the whole deployment where they show its id: the clients that are about read it so, and learn only
 * there which deployment they wait for.
 */
import type { RawData, WebSocket } from 'ws';
import type { Actor } from '../../../core/access/actor.ts';
import type { FeedItem } from '../../../core/deployments/deployment-feed.ts';
import { Secret } from '../../../core/ports/secret.ts';
import { knownFailure } from '../../../http/failure.ts';
import type { WebSocketRoute } from '../../../http/streaming/upgrades.ts';
import { nameOf } from '../app-shape.ts';
import { actorOf } from '../auth.ts';
import { baseUrlOf } from '../base-url.ts';
import { isObject } from '../fields.ts';
import { FrameSocket } from '../frame-socket.ts';
import type { ScalingoParts } from '../settings.ts';
import { deploymentShape, statusOfState } from './deployment-shape.ts';

const AUTH_MS = 10_000;
const PING_MS = 20_000;
const REFUSED = 1008;
const FAILED = 1011;
const AUTH_BYTES = 16 * 1024;

export function deploymentStream(parts: ScalingoParts): WebSocketRoute {
  const { core, clock, logger, settings } = parts;

  function serve(socket: WebSocket, reference: string, baseUrl: string): void {
    const frames = new FrameSocket(socket);
    const end = (error: unknown): void => {
      if (frames.signal.aborted) return;
      const known = knownFailure(error) !== null;
      if (!known) logger.error({ err: error }, 'a stream of deployments failed');
      frames.close(known ? REFUSED : FAILED, known ? 'not allowed' : 'failed');
    };
    const late = setTimeout(() => frames.close(REFUSED, 'no auth frame'), AUTH_MS);
    frames.signal.addEventListener('abort', () => clearTimeout(late), { once: true });
    socket.once('message', (data, binary) => {
      clearTimeout(late);
      const token = binary ? null : tokenIn(data);
      if (token === null) frames.close(REFUSED, 'the first frame should be auth');
      else follow(frames, token, reference, baseUrl, end).catch(end);
    });
  }

  async function follow(
    frames: FrameSocket,
    token: Secret,
    reference: string,
    baseUrl: string,
    end: (error: unknown) => void,
  ): Promise<void> {
    const actor = await actorOf(parts, token);
    const app = await core.apps.get(actor, reference);
    const frameOf = framesFor(nameOf(app), baseUrl);
    const tell = async (item: FeedItem): Promise<void> => {
      const frame = frameOf(item);
      if (frame !== null) await frames.send(frame);
    };
    frames.every(
      PING_MS,
      async () => {
        await mayStill(token, app.id);
        const ts = Math.floor(clock.now().getTime() / 1000);
        await frames.send({ type: 'ping', ts, data: { ts } });
      },
      end,
    );
    await core.deploymentFeed.follow(actor, app.id, tell, frames.signal);
  }

  /** Throws when the token is void by now, or the app is none of its holder's any more. */
  async function mayStill(token: Secret, appId: string): Promise<void> {
    const actor: Actor = await actorOf(parts, token);
    await core.deployments.list(actor, appId, 0, 1);
  }

  return {
    path: /^\/v1\/apps\/(?<app>[^/]+)\/deployments\/stream\/?$/,
    open: async ({ raw, params }) => {
      const baseUrl = baseUrlOf(raw.headers, settings.publicUrl);
      return (socket) => serve(socket, params.app ?? '', baseUrl);
    },
  };
}

/** `{"type":"auth","data":{"token":…}}`; null for anything else. */
function tokenIn(data: RawData): Secret | null {
  const text = data.toString('utf8');
  if (text.length > AUTH_BYTES) return null;
  try {
    const frame: unknown = JSON.parse(text);
    if (!isObject(frame) || frame.type !== 'auth' || !isObject(frame.data)) return null;
    const { token } = frame.data;
    return typeof token === 'string' && token !== '' ? new Secret(token) : null;
  } catch {
    return null;
  }
}

/** Makes the frames for one reader; null for what this API has no frame for. */
function framesFor(name: string, baseUrl: string): (item: FeedItem) => object | null {
  const statuses = new Map<string, string>();
  return (item) => {
    switch (item.kind) {
      case 'new':
        return { type: 'new', data: { deployment: deploymentShape(item.deployment, name, baseUrl) } };
      case 'log':
        return { type: 'log', id: item.id, data: { content: `${item.line}\n` } };
      case 'state': {
        const status = statusOfState(item.state);
        // Two states of the core are one status here.
        if (statuses.get(item.id) === status) return null;
        statuses.set(item.id, status);
        return { type: 'status', id: item.id, data: { status } };
      }
    }
  };
}
