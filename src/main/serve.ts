/** The server's HTTP side: every dialect over the core, health, metrics. */
import type { ControlContext } from '../control/control-context.ts';
import type { Controllers } from '../control/controllers.ts';
import { can } from '../core/access/actor.ts';
import type { Core } from '../core/core.ts';
import type { RequestSample } from '../http/instance.ts';
import { createServer, type HttpServer } from '../http/server.ts';
import { createPlatformMetrics } from '../metering/prometheus.ts';
import { createDialects } from './dialects.ts';
import type { GitDoors } from './git-doors.ts';
import type { ProcessParts } from './process-parts.ts';

export interface ServeOptions extends ProcessParts {
  readonly core: Core;
  readonly context: ControlContext;
  readonly controllers: Controllers;
  readonly git: GitDoors;
}

/** Listens on every port; `/healthz` says 503 with the reasons until a deploy has all it needs. */
export async function serve(options: ServeOptions): Promise<HttpServer> {
  const { settings, logger, ids, clock, core, context, controllers } = options;
  const metrics = createPlatformMetrics('server', {
    instances: () => context.engine.list(),
    router: () => context.router.counters(),
  });
  const observe = ({ seconds, ...labels }: RequestSample): void => metrics.observeRequest(labels, seconds);
  const shared = `${settings.host}:${settings.port}`;
  const dialects = createDialects({
    core,
    logger,
    ids,
    clock,
    settings,
    box: context.box,
    blobs: context.blobs,
    observe,
  });
  const server = createServer({
    dialects: dialects.map(({ dialect }) => dialect),
    baseDomain: settings.baseDomain,
    host: settings.host,
    doors: { '/git/': options.git.http },
    ports: {
      shared: settings.port,
      dialects: Object.fromEntries(dialects.map(({ dialect, offset }) => [dialect.name, settings.port + offset])),
    },
    logger,
    ids,
    observe,
    ready: () => missingParts(context, controllers),
    metrics: () => metrics.render(),
    metricsAccess: async (token) => can(await core.authenticator.byToken(token), 'debug'),
  });
  await server.listen();
  logger.info({ shared }, 'the server listens');
  return server;
}

const ANSWER_MS = 2_000;

/** What a deploy needs and is not there, in words; asked for at each health check. */
export async function missingParts(
  { db, engine, router }: ControlContext,
  controllers: Pick<Controllers, 'leading'>,
): Promise<readonly string[]> {
  const checks: readonly (readonly [reason: string, check: () => Promise<unknown>])[] = [
    ['the database does not answer', () => db.ping()],
    ['the engine does not answer', () => engine.describe()],
    ['the router does not answer', () => router.counters()],
  ];
  const reasons = await Promise.all(
    checks.map(async ([reason, check]) => {
      const answered = await withinMs(ANSWER_MS, check()).catch(() => false);
      return answered ? [] : [reason];
    }),
  );
  return [...reasons.flat(), ...(controllers.leading ? [] : ['the controllers do not run here yet'])];
}

async function withinMs(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
