/** The agent's HTTP interface on its unix socket. Only the owner may open the socket, so there is no further authentication. */
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { BerthError, conflict, invalid, notFound } from '../../core/errors.ts';
import type { Ids } from '../../core/ports/clock.ts';
import type { EngineDescription, LinkRoute } from '../../core/ports/engine.ts';
import type { Links } from './links.ts';
import { isSignal, serveSession } from './session-server.ts';
import { endUnattended, openAttach, openExec } from './sessions.ts';
import { unitStats } from './stats.ts';
import type { Unit, UnitServices } from './unit.ts';
import type { Units } from './units.ts';
import type { Volumes } from './volumes.ts';
import { errorToWire, type PlainExecSpec, type PlainInstanceSpec, type PlainJobSpec, toWire } from './wire.ts';

export interface AgentApiParts {
  readonly units: Units;
  readonly volumes: Volumes;
  readonly links: Links;
  readonly services: UnitServices;
  readonly ids: Ids;
  readonly description: EngineDescription;
  readonly nodeId: string;
  readonly wakers: Set<() => void>;
}

const longestBody = 16 * 1024 * 1024;

export class AgentApi {
  readonly #parts: AgentApiParts;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(parts: AgentApiParts) {
    this.#parts = parts;
    this.#server = createServer({ requestTimeout: 0, keepAliveTimeout: 30_000 }, (request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        if (!(error instanceof BerthError))
          parts.services.logger.error({ error, url: request.url }, 'a request failed');
        if (response.headersSent) response.destroy();
        else send(response, error instanceof BerthError ? 400 : 500, errorToWire(error));
      });
    });
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket as Socket, head));
  }

  /** Rejects with conflict when another agent answers there; a socket that nobody answers on is taken over. */
  async listen(path: string): Promise<void> {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    if (await answers(path)) throw conflict('agent-running', 'another agent answers on this socket');
    rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(path, () => {
        chmodSync(path, 0o600);
        resolve();
      });
    });
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { units, volumes, links, services, nodeId } = this.#parts;
    const [noun, id, verb] = (request.url ?? '/').split('/').slice(1).map(decodeURIComponent);
    const route = `${request.method} ${noun}${id === undefined ? '' : '/:id'}${verb === undefined ? '' : `/${verb}`}`;
    const wire = (unit: ReturnType<Units['instance']>) => toWire(unit.state, unit.phase, nodeId);
    switch (route) {
      case 'GET describe':
        return send(response, 200, this.#parts.description);
      case 'GET instances':
        return send(
          response,
          200,
          units
            .all()
            .filter((unit) => unit.state.kind !== 'job')
            .map(wire),
        );
      case 'POST instances':
        return send(response, 200, wire(this.#startInstance((await body(request)) as PlainInstanceSpec)));
      case 'POST instances/:id/stop': {
        const { graceMs } = (await body(request)) as { readonly graceMs: number };
        await units.get(id ?? '')?.stop(graceMs, 'stop');
        return send(response, 200, {});
      }
      case 'DELETE instances/:id':
      case 'DELETE jobs/:id':
        await units.remove(id ?? '');
        return send(response, 200, {});
      case 'POST instances/:id/signal': {
        const { signal } = (await body(request)) as { readonly signal: string };
        if (!isSignal(signal)) throw invalid('signal', 'there is no such signal');
        units.instance(id ?? '').signal(signal);
        return send(response, 200, {});
      }
      case 'POST stats': {
        const { ids } = (await body(request)) as { readonly ids: readonly string[] };
        const running = ids.map((each) => units.get(each)).filter((unit) => unit?.phase === 'running');
        return send(
          response,
          200,
          running.map((unit) => unit && unitStats(unit, services)),
        );
      }
      case 'POST links': {
        const { routes } = (await body(request)) as { readonly routes: readonly LinkRoute[] };
        await links.route(routes);
        return send(response, 200, {});
      }
      case 'GET volumes':
        return send(response, 200, volumes.list());
      case 'DELETE volumes/:id':
        await volumes.remove(id ?? '', (volumeId) =>
          units.isAny((state) => state.volumes?.includes(volumeId) === true),
        );
        return send(response, 200, {});
      case 'GET jobs':
        return send(
          response,
          200,
          units
            .all()
            .filter((unit) => unit.state.kind === 'job' && unit.phase !== 'exited')
            .map((unit) => unit.state.id),
        );
      case 'POST jobs':
        units.startJob((await body(request)) as PlainJobSpec);
        return send(response, 200, {});
      case 'GET jobs/:id': {
        const unit = units.get(id ?? '');
        if (unit?.state.kind !== 'job') throw notFound('job');
        await unit.ended;
        return send(response, 200, unit.state.exit);
      }
      case 'POST jobs/:id/kill':
        await units.get(id ?? '')?.stop(0, 'stop');
        return send(response, 200, {});
      case 'GET watch':
        return this.#watch(response);
      default:
        throw notFound('route');
    }
  }

  #startInstance(spec: PlainInstanceSpec): Unit {
    const { units } = this.#parts;
    const isNew = units.get(spec.id) === undefined;
    const unit = units.startInstance(spec);
    if (isNew && unit.state.interactive) endUnattended(unit);
    return unit;
  }

  #watch(response: ServerResponse): void {
    const { wakers } = this.#parts;
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.write('\n');
    let pending = false;
    const wake = (): void => {
      if (pending) return;
      pending = true;
      setImmediate(() => {
        pending = false;
        if (!response.writableNeedDrain) response.write('\n');
      });
    };
    wakers.add(wake);
    response.once('close', () => wakers.delete(wake));
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const { units, services, ids } = this.#parts;
    const [noun, id, verb] = (request.url ?? '/').split('/').slice(1).map(decodeURIComponent);
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: berth-session\r\n\r\n');
    serveSession(socket, head, async (text) => {
      const unit = units.instance(noun === 'instances' ? (id ?? '') : '');
      if (verb === 'attach') return openAttach(unit);
      return openExec(unit, JSON.parse(text) as PlainExecSpec, ids.id(), services);
    });
  }
}

function send(response: ServerResponse, status: number, value: unknown): void {
  const text = JSON.stringify(value ?? null);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

async function body(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > longestBody) throw new BerthError('too-large', 'the request is too large');
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw invalid('body', 'the request is not JSON');
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
