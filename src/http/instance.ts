/**
 * One Fastify instance as every dialect has it: request ids, deadlines, body limits, errors logged with their request's id, a signal
 * that aborts when the client leaves or the server closes. How errors look is the dialect's.
 */
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
} from 'fastify';
import type { BerthError } from '../core/errors.ts';
import type { Ids } from '../core/ports/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { knownFailure } from './failure.ts';

export interface RequestSample {
  /** The instance's name. */
  readonly dialect: string;
  readonly method: string;
  /** The pattern, never the path: that holds names and tokens. */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}

export interface InstanceOptions {
  readonly name: string;
  readonly logger: Logger;
  readonly ids: Ids;
  /** For routes that say nothing else. Default 1 MiB. */
  readonly bodyLimitBytes?: number;
  /** For routes that say nothing else. Default 60 s. Streams are without limit once they began. */
  readonly deadlineMs?: number;
  readonly maxParameterLength?: number;
  /** Changes the URL before it is routed. */
  readonly rewriteUrl?: (url: string) => string;
  /** Answers with an error; null stands for a fault of ours, already logged. Takes also what the dialect's own errors are. */
  readonly sendFailure: (reply: FastifyReply, failure: BerthError | null, thrown: unknown) => void;
  readonly sendNotFound: (reply: FastifyReply) => void;
  /** Whether a thrown thing is an error of the dialect's own, which is no fault. */
  readonly isOwnError?: (thrown: unknown) => boolean;
  readonly observe?: (sample: RequestSample) => void;
}

const closingSignal = 'closingSignal';

/** Makes an instance; routes are added by the caller, `ready()` is called by the server. */
export function createInstance(options: InstanceOptions): FastifyInstance {
  const { logger, ids, rewriteUrl } = options;
  const fail = (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const failure = knownFailure(error);
    if (failure === null && options.isOwnError?.(error) !== true)
      logger.error(
        { requestId: request.id, method: request.method, route: routeOf(request), err: error },
        'a request failed',
      );
    else if (failure?.kind === 'unavailable')
      logger.warn({ requestId: request.id, route: routeOf(request), err: failure }, 'a request could not be served');
    options.sendFailure(reply, failure, error);
  };
  const settings: FastifyServerOptions = {
    logger: false,
    genReqId: (raw) => givenId(raw.headers['x-request-id']) ?? ids.id(),
    bodyLimit: options.bodyLimitBytes ?? 1024 * 1024,
    handlerTimeout: options.deadlineMs ?? 60_000,
    routerOptions: {
      maxParamLength: options.maxParameterLength ?? 256,
      ignoreTrailingSlash: true,
      ignoreDuplicateSlashes: true,
    },
    exposeHeadRoutes: false,
    return503OnClosing: false,
    frameworkErrors: fail,
    ...(rewriteUrl === undefined ? {} : { rewriteUrl: (raw) => rewriteUrl(raw.url ?? '/') }),
  };
  const instance = Fastify(settings);
  instance.setErrorHandler(fail);
  instance.setNotFoundHandler((_request, reply) => options.sendNotFound(reply));
  // Hooks that wait for nothing take no promise: they run for every request.
  instance.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });
  const observe = options.observe;
  instance.addHook('onResponse', (request, reply, done) => {
    const { method } = request;
    const route = routeOf(request);
    const sample = {
      dialect: options.name,
      method,
      route,
      status: reply.statusCode,
      seconds: reply.elapsedTime / 1000,
    };
    observe?.(sample);
    logger.debug({ requestId: request.id, ...sample }, 'answered');
    done();
  });
  const closing = new AbortController();
  instance.decorate(closingSignal, closing.signal);
  instance.addHook('preClose', async () => closing.abort());
  return instance;
}

/**
 * Aborts when the client has left (or the answer has ended), the deadline is over before the answer began, or the server closes. Fastify's
 * own signal no longer hears of the client once an answer is a stream.
 */
export function endSignal(request: FastifyRequest, reply: FastifyReply): AbortSignal {
  const left = new AbortController();
  reply.raw.once('close', () => left.abort());
  const closing = request.server.getDecorator<AbortSignal>(closingSignal);
  return AbortSignal.any([left.signal, request.signal, closing]);
}

export const routeOf = (request: FastifyRequest): string => request.routeOptions?.url ?? '(none)';

/** An id from outside is taken when it is harmless in a log line. */
function givenId(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && /^[\w.-]{8,64}$/.test(header) ? header : undefined;
}
