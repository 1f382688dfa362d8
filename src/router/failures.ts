/** Every answer that the router gives by itself, with the platform's code: one place for status, code and words. */
export interface Failure {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly text: string;
}

const failure = (status: number, code: string, title: string, text: string): Failure => ({ status, code, title, text });

export const noSuchApp = failure(404, 'H81', 'No such app', 'There is no app at this address.');
export const noInstance = failure(503, 'H14', 'No web processes running', 'This app has no running web process.');
export const connectFailed = failure(503, 'H21', 'Connection refused', 'The app does not accept connections.');
export const closedEarly = failure(503, 'H13', 'Connection closed without response', 'The app did not answer.');
export const malformedResponse = failure(
  502,
  'H17',
  'Poorly formatted HTTP response',
  'The app gave a malformed answer.',
);
export const responseTimeout = failure(504, 'H12', 'Request timeout', 'The app took too long to answer.');
export const requestStalled = failure(408, 'H28', 'Client connection idle', 'The rest of the request did not come.');
export const interrupted = failure(503, 'H18', 'Server request interrupted', 'The app ended its answer too early.');
export const clientGone = failure(499, 'H27', 'Client request interrupted', 'The client went away.');
export const maintenance = failure(
  503,
  'H80',
  'Maintenance mode',
  'This app is under maintenance. Please try again later.',
);
export const bodyTooLarge = failure(413, 'H26', 'Request body too large', 'The request body is over the limit.');
export const malformedBody = failure(400, 'H26', 'Request error', 'The request body is malformed.');

/** A request whose head could not be read. */
export function refused(status: number, reason: string): Failure {
  return failure(status, 'H26', 'Request error', `The request was refused: ${reason}.`);
}
