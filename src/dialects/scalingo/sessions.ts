/** The sessions that signing in here begins. */

/** Clients keep the token and know no way to renew it. */
export const SESSION_MS = 365 * 24 * 60 * 60_000;
export const SESSION_NAME = 'Scalingo login';
