/** What a route of this dialect is: who may call it, and a function from a call to an answer. */
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Actor } from '../../core/access/actor.ts';
import type { Permission } from '../../core/permissions.ts';
import type { Secret } from '../../core/ports/secret.ts';

export interface Call {
  readonly actor: Actor;
  /** The token that the caller showed: an API token, or one of `tokens/exchange`. */
  readonly credential: Secret;
  /** Where this caller reaches the dialect, without a final slash and without `/v1`: the base of the URLs in answers. */
  readonly baseUrl: string;
  readonly headers: IncomingHttpHeaders;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Parsed JSON; undefined for an empty body. Of a route with `rawBody`, the stream of what comes in. */
  readonly body: unknown;
}

export interface Answer {
  readonly status: number;
  /** Sent as JSON; absent: an empty body. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

interface RouteBase {
  /** A route of GET answers HEAD too. */
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Whole, with `/v1`; a slash after it is ignored. */
  readonly path: string;
  readonly bodyLimitBytes?: number;
  readonly deadlineMs?: number;
  /** The body is not JSON and is not read before the handler does. */
  readonly rawBody?: true;
}

export interface SignedInRoute extends RouteBase {
  /** What the core demands of the actor, or `signed-in`: nothing more. Here for the reader and the route test; the core checks. */
  readonly access: Permission | 'signed-in';
  readonly handle: (call: Call) => Promise<Answer>;
}

/** Signed in, with an answer that is no JSON: text, a stream. */
export interface StreamRoute extends RouteBase {
  readonly access: Permission | 'signed-in';
  readonly stream: (call: Call, request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;
}

export interface PublicRoute extends RouteBase {
  readonly access: 'public';
  /** Checks on its own whatever it needs. An empty credential (`Og==`) is none. */
  readonly respond: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;
}

export type Route = SignedInRoute | StreamRoute | PublicRoute;

export const ok = (body: unknown): Answer => ({ status: 200, body });
export const created = (body: unknown): Answer => ({ status: 201, body });
export const noContent: Answer = { status: 204 };

/** A parameter of the path; the router has filled it in. */
export const param = (call: Pick<Call, 'params'>, name: string): string => call.params[name] ?? '';

/** A parameter of the query; of several the first. */
export function queried(call: Pick<Call, 'query'>, name: string): string | undefined {
  const value = call.query[name];
  return typeof value === 'string' ? value : value?.[0];
}
