/** Puts whatever a handler or the framework threw into the words of the one catalogue, so that a dialect has one kind of error to show. */
import { BerthError } from '../core/errors.ts';

/** The error in our words, or null when it is a fault of the platform: nothing of it may be shown. */
export function knownFailure(error: unknown): BerthError | null {
  if (error instanceof BerthError) return error;
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new BerthError('too-large', 'the body is too large');
  if (code === 'FST_ERR_HANDLER_TIMEOUT') return new BerthError('unavailable', 'this took too long, try again later');
  if (typeof code === 'string' && code.startsWith('FST_') && isClientStatus(statusCode))
    return new BerthError('invalid', 'the request is malformed', { code: 'malformed-request', cause: error });
  return null;
}

const isClientStatus = (status: unknown): boolean => typeof status === 'number' && status >= 400 && status < 500;

/** What the outside sees of a fault of ours; the log has the cause under the same id. */
export const faultText = (requestId: string): string => `Internal error. The request's id is ${requestId}.`;
