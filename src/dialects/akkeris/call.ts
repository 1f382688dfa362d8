/** What a route of this dialect is: who may call it, and a function from a call to an answer. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Actor } from '../../core/access/actor.ts';
import type { Permission } from '../../core/permissions.ts';

export interface Call {
  readonly actor: Actor;
  /** Whose favorites these are, and who is the author of a build that names none. */
  readonly username: string;
  /** Whether it may do what this API keeps for elevated access. */
  readonly elevated: boolean;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Parsed JSON; undefined for an empty body. */
  readonly body: unknown;
}

export interface Answer {
  readonly status: number;
  /** Sent as JSON; absent: an empty body. */
  readonly body?: unknown;
}

interface RouteBase {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** In lower case; the path of a request is lowered before it is matched. */
  readonly path: string;
  readonly bodyLimitBytes?: number;
  readonly deadlineMs?: number;
}

export interface SignedInRoute extends RouteBase {
  /** What the core demands of the actor, or `signed-in`: nothing more. Here for the reader and the route test; the core checks. */
  readonly access: Permission | 'signed-in';
  readonly handle: (call: Call) => Promise<Answer>;
}

export interface PublicRoute extends RouteBase {
  readonly access: 'public';
  /** Checks on its own whatever it needs. */
  readonly respond: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;
}

export type Route = SignedInRoute | PublicRoute;

export const ok = (body: unknown): Answer => ({ status: 200, body });
export const created = (body: unknown): Answer => ({ status: 201, body });
export const accepted = (body: unknown): Answer => ({ status: 202, body });

/** A parameter of the path; the router has filled it in. */
export const param = (call: Pick<Call, 'params'>, name: string): string => call.params[name] ?? '';
