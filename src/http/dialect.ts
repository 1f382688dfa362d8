/** What the HTTP layer needs of one public API: a Fastify instance of its own, with its own errors and parsers, and where it answers. */
import type { FastifyInstance } from 'fastify';
import type { Upgrades } from './streaming/upgrades.ts';

export interface Dialect {
  readonly name: string;
  /** On the shared port it answers to `<host label>.<base domain>`. */
  readonly hostLabel: string;
  /** Made by `createInstance`; it never listens itself, the server hands it requests. */
  readonly instance: FastifyInstance;
  /** WebSockets and other upgrades; without it an `Upgrade` header is ignored, as the standard allows. */
  readonly upgrades?: Upgrades;
  /** How long an idle connection stays open on the dialect's own port. */
  readonly keepAliveMs?: number;
}
