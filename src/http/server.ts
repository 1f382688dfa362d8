/**
 * The control plane's ports: the shared one, which answers for the platform itself and for every dialect by `Host`, and one for each
 * dialect. Main makes it; dialects know nothing of it.
 */
import type { IncomingMessage } from 'node:http';
import type { Dialect } from './dialect.ts';
import { byHost } from './host-dispatch.ts';
import { defaultLimits, NodeServer, type Responder, type ServerLimits } from './node-server.ts';
import { createPlatformSite, type PlatformSiteOptions } from './platform-site.ts';

export interface ServerOptions extends Omit<PlatformSiteOptions, 'addresses'> {
  readonly dialects: readonly Dialect[];
  readonly baseDomain: string;
  /** The address to listen on, e.g. `0.0.0.0` or `127.0.0.1`. */
  readonly host: string;
  readonly ports: {
    /** 0 takes any that is free. */
    readonly shared: number;
    /** By the dialect's name; one without a port answers on the shared port only. */
    readonly dialects: Readonly<Record<string, number>>;
  };
  /** On the shared port, what answers below a path (`/git/`) for protocols that are no JSON API; a dialect's host names have none. */
  readonly doors?: Readonly<Record<string, Responder['handle']>>;
  readonly limits?: Partial<ServerLimits>;
  /** How long answers under way may take when it closes. Default 10 s. */
  readonly closeGraceMs?: number;
}

export interface Addresses {
  readonly shared: { readonly host: string; readonly port: number };
  readonly dialects: Readonly<Record<string, { readonly host: string; readonly port: number }>>;
}

export interface HttpServer {
  /** Resolves when every port is open. Rejects when one is taken; nothing listens then. */
  listen(): Promise<Addresses>;
  /** Ends streams, waits for answers under way, then cuts what is left. Safe to call twice. */
  close(): Promise<void>;
}

export function createServer(options: ServerOptions): HttpServer {
  const limits = { ...defaultLimits, ...options.limits };
  const platform = createPlatformSite({
    ...options,
    addresses: () =>
      options.dialects.map(({ name, hostLabel }) => ({ name, host: `${hostLabel}.${options.baseDomain}` })),
  });
  const find = byHost(options.dialects, options.baseDomain);
  const responders = new Map(options.dialects.map((dialect) => [dialect, responderOf(dialect)]));
  const platformResponder: Responder = { handle: (request, response) => platform.routing(request, response) };
  const doors = Object.entries(options.doors ?? {}).map(([path, handle]) => ({ path, responder: { handle } }));
  const doorOf = (request: IncomingMessage): Responder | undefined =>
    doors.find(({ path }) => request.url?.startsWith(path) === true)?.responder;
  const pick = (request: IncomingMessage): Responder => {
    const dialect = find(request.headers.host);
    if (dialect === undefined) return doorOf(request) ?? platformResponder;
    return responders.get(dialect) ?? platformResponder;
  };
  const servers: NodeServer[] = [];
  const instances = [platform, ...options.dialects.map((dialect) => dialect.instance)];

  async function open(port: number, keepAliveMs: number, choose: typeof pick): Promise<{ host: string; port: number }> {
    const server = new NodeServer(choose, { ...limits, keepAliveMs });
    const address = await server.listen(port, options.host);
    servers.push(server);
    return address;
  }

  async function close(): Promise<void> {
    const draining = Promise.all(servers.map((server) => server.close(options.closeGraceMs ?? 10_000)));
    for (const { upgrades } of options.dialects) upgrades?.close();
    // Closing an instance aborts its streams; requests under way go on.
    await Promise.all(instances.map((instance) => instance.close()));
    await draining;
  }

  return {
    async listen() {
      try {
        await Promise.all(instances.map((instance) => instance.ready()));
        const dialects: Record<string, { host: string; port: number }> = {};
        for (const dialect of options.dialects) {
          const port = options.ports.dialects[dialect.name];
          const responder = responders.get(dialect);
          if (port === undefined || responder === undefined) continue;
          dialects[dialect.name] = await open(port, dialect.keepAliveMs ?? limits.keepAliveMs, () => responder);
        }
        return { shared: await open(options.ports.shared, limits.keepAliveMs, pick), dialects };
      } catch (error) {
        await close();
        throw error;
      }
    },
    close,
  };
}

function responderOf(dialect: Dialect): Responder {
  const handle: Responder['handle'] = (request, response) => dialect.instance.routing(request, response);
  return dialect.upgrades === undefined ? { handle } : { handle, upgrades: dialect.upgrades };
}
