/** The Router port over the control socket. Connects when first used and again after the router was away. */
import { connect, type Socket } from 'node:net';
import { BerthError, unavailable } from '../core/errors.ts';
import type { Router, RouterCounters, RoutingTable } from '../core/ports/router.ts';
import { type ControlRequest, type ControlResponse, LineSplitter } from './control-protocol.ts';

export interface RouterClientOptions {
  readonly socketPath: string;
  /** How long an apply or a look at the counters may take. */
  readonly timeoutMs?: number;
}

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

interface Link {
  readonly socket: Socket;
  readonly pending: Map<number, Pending>;
}

/** Calls reject with `unavailable` when the router cannot be reached or goes away before it answers. */
export function createRouterClient(options: RouterClientOptions): Router & { close(): void } {
  const { socketPath, timeoutMs = 30_000 } = options;
  let link: Link | null = null;
  let closed = false;
  let lastId = 0;

  function openLink(): Link {
    const socket = connect(socketPath);
    const opened: Link = { socket, pending: new Map() };
    const splitter = new LineSplitter();
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      for (const line of splitter.push(text)) settle(opened, JSON.parse(line) as ControlResponse);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      if (link === opened) link = null;
      for (const each of opened.pending.values()) each.reject(unavailable('the router is not reachable'));
    });
    return opened;
  }

  function call(verb: ControlRequest['verb'], input: unknown, waitMs: number): Promise<unknown> {
    // A caller that was still at work must not open what nobody closes.
    if (closed) return Promise.reject(unavailable('the connection to the router was closed'));
    link ??= openLink();
    const { socket, pending } = link;
    const id = ++lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settled.reject(unavailable('the router does not answer')), waitMs);
      const done = (): void => {
        clearTimeout(timer);
        pending.delete(id);
      };
      const settled: Pending = {
        resolve: (result) => {
          done();
          resolve(result);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      };
      pending.set(id, settled);
      socket.write(`${JSON.stringify({ id, verb, input } satisfies ControlRequest)}\n`);
    });
  }

  return {
    async apply(table: RoutingTable): Promise<void> {
      await call('apply', table, timeoutMs);
    },
    async drain(targetIds, drainMs): Promise<{ readonly leftInFlight: number }> {
      return (await call('drain', { targetIds, timeoutMs: drainMs }, drainMs + timeoutMs)) as { leftInFlight: number };
    },
    async counters(): Promise<readonly RouterCounters[]> {
      return (await call('counters', null, timeoutMs)) as readonly RouterCounters[];
    },
    close(): void {
      closed = true;
      link?.socket.destroy();
      link = null;
    },
  };
}

function settle(link: Link, response: ControlResponse): void {
  const pending = link.pending.get(response.id);
  if (pending === undefined) return;
  if ('error' in response) pending.reject(new BerthError(response.error.kind, response.error.message));
  else pending.resolve(response.result);
}
