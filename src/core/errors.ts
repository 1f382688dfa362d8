/**
 * The one catalogue of errors that the platform answers with. A dialect renders them (see its errors.ts); nothing here knows HTTP.
 * `message` is safe to show to the caller: it never carries a secret, a path of the machine or another tenant's names.
 */
export type ErrorKind =
  | 'invalid' // the input is wrong; `field` names what
  | 'unauthenticated' // no or unknown credentials
  | 'forbidden' // known caller, visible thing, missing permission
  | 'not-found' // not there, or not the caller's: both answer alike
  | 'conflict' // the state of the thing does not allow it now, or the name is taken
  | 'quota' // a quota or trial limit is reached
  | 'too-large' // a body, archive or value above its limit
  | 'rate-limited' // try again later; `retryAfterMs`
  | 'unavailable' // a part that the request needs is down
  | 'cancelled'; // the work was cancelled before it ended

export interface ErrorDetails {
  /** The input field or definition path that is wrong, e.g. `processes.web.quantity`. */
  readonly field?: string;
  /** A stable machine word within the kind, e.g. `app-exists`; dialects map it to their own codes and texts. */
  readonly code?: string;
  /** The noun that was not found or is in conflict, e.g. `app`. */
  readonly noun?: string;
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

export class BerthError extends Error {
  readonly kind: ErrorKind;
  readonly details: ErrorDetails;
  constructor(kind: ErrorKind, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'BerthError';
    this.kind = kind;
    this.details = details;
  }
}

export const invalid = (field: string, message: string, code?: string): BerthError =>
  new BerthError('invalid', message, code === undefined ? { field } : { field, code });
export const notFound = (noun: string, reference?: string): BerthError =>
  new BerthError(
    'not-found',
    reference === undefined ? `${noun} not found` : `${noun} ${JSON.stringify(reference)} not found`,
    { noun },
  );
export const conflict = (code: string, message: string, noun?: string): BerthError =>
  new BerthError('conflict', message, noun === undefined ? { code } : { code, noun });
export const forbidden = (message: string, code?: string): BerthError =>
  new BerthError('forbidden', message, code === undefined ? {} : { code });
export const unauthenticated = (message = 'credentials are missing or wrong'): BerthError =>
  new BerthError('unauthenticated', message);
export const unavailable = (message: string, cause?: unknown): BerthError =>
  new BerthError('unavailable', message, cause === undefined ? {} : { cause });
