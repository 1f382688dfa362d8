/** What a route of this dialect is: who may call it, and a function from a call to an answer. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Actor } from '../../core/access/actor.ts';
import type { Permission } from '../../core/permissions.ts';
import { type CodeName, type Envelope, envelope } from './envelope.ts';

export interface Call {
  readonly actor: Actor;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Parsed JSON; undefined for an empty body. */
  readonly body: unknown;
}

interface RouteBase {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
}

export interface SignedInRoute extends RouteBase {
  /** What the core demands of the actor, or `signed-in`: nothing more. Here for the reader and the route test; the core checks. */
  readonly access: Permission | 'signed-in';
  /** An envelope, or the text of a plain answer. */
  readonly handle: (call: Call) => Promise<Envelope | string>;
}

export interface OwnRoute extends RouteBase {
  /** `public`: anyone. A permission: `respond` gets the caller's actor by `authenticate` and the core checks it. */
  readonly access: Permission | 'public';
  readonly respond: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;
}

export type Route = SignedInRoute | OwnRoute;

export const answer = (name: CodeName, data?: unknown): Envelope => envelope(name, data);

/** A parameter of the path; the router has filled it in. */
export const param = (call: Pick<Call, 'params'>, name: string): string => call.params[name] ?? '';
