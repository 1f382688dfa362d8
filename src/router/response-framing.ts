/** Decides how a response is framed towards the client, from what the instance said and what the client speaks. Pure. */
import type { ResponseFraming } from './message-heads.ts';
import type { RequestHead } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';

/** `mayKeep`: the router is willing to keep the client's connection. */
export function frameResponse(request: RequestHead, response: ResponseHead, mayKeep: boolean): ResponseFraming {
  if (response.status === 101) return { connection: 'upgrade', contentLength: -1, chunked: false };
  const bodiless = request.method === 'HEAD' || response.status === 204 || response.status === 304;
  const lengthKnown = bodiless || response.contentLength !== -1;
  // A chunked body is for HTTP/1.1 clients; a body without length ends with the connection.
  const chunked = response.chunked && request.minor === 1 && response.status !== 204;
  const keep = mayKeep && request.keepAlive && (lengthKnown || chunked);
  const ofOldClient = request.minor === 0 ? 'keep-alive' : '';
  return {
    connection: keep ? ofOldClient : 'close',
    contentLength: response.status === 204 ? -1 : response.contentLength,
    chunked,
  };
}
