/** For APIs whose clients say nothing, or something wrong, about the content type: every body is JSON, and an empty one is none. */
import type { FastifyInstance } from 'fastify';
import { BerthError } from '../core/errors.ts';

/** Replaces the instance's parsers. Throws `invalid` with the code `malformed-json`, and the parser's error as its cause, for what is not JSON. */
export function parseEveryBodyAsJson(instance: FastifyInstance): void {
  const parse = instance.getDefaultJsonParser('error', 'error');
  instance.removeAllContentTypeParsers();
  instance.addContentTypeParser('application/json', { parseAs: 'string' }, (request, text, done) => {
    const body = text.toString();
    if (body.trim() === '') return done(null, undefined);
    parse(request, body, (error, value) => {
      if (error === null) done(null, value);
      else
        done(
          new BerthError('invalid', 'the body is not valid JSON', {
            code: 'malformed-json',
            field: 'body',
            cause: problemOf(body) ?? error,
          }),
        );
    });
  });
  instance.addHook('onRequest', (request, _reply, done) => {
    request.headers['content-type'] = 'application/json';
    done();
  });
}

/** What the parser says of a text; its own words are lost on the way here. */
function problemOf(text: string): unknown {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    return error;
  }
}
