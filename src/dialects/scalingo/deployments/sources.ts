/** Uploads of sources: `POST /sources` gives two addresses, good for ten minutes, which need no credentials. */
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { BerthError } from '../../../core/errors.ts';
import { created, type Route } from '../call.ts';
import { notThere, unprocessable } from '../errors.ts';
import type { ScalingoParts } from '../settings.ts';
import { blobOf, DOWNLOAD_PATH, newSource, UPLOAD_PATH } from './source-urls.ts';

/** Long enough for a large archive over a slow line. */
const UPLOAD_DEADLINE_MS = 14 * 60_000;

export function sourceRoutes(parts: ScalingoParts): readonly Route[] {
  const { blobs, settings } = parts;
  const param = (request: FastifyRequest, name: 'upload' | 'download'): string =>
    (request.params as Readonly<Record<string, string>>)[name] ?? '';

  async function upload(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const id = blobOf(parts, 'upload', param(request, 'upload'));
    const bytes = request.body instanceof Readable ? request.body : Readable.from([]);
    const signal = leftSignal(reply);
    const { sizeBytes } = await blobs
      .put(bytes, { id, maxBytes: settings.sourceBytes, signal })
      .catch((error: unknown) => {
        if (error instanceof BerthError || !request.raw.aborted) throw error;
        throw new BerthError('cancelled', 'the upload broke off', { cause: error });
      });
    if (sizeBytes > 0) return reply.code(200).send();
    await blobs.remove(id);
    throw unprocessable('source', 'the archive is empty');
  }

  async function download(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const blob = await blobs.get(blobOf(parts, 'download', param(request, 'download')));
    if (blob === null) throw notThere('source');
    reply.header('content-type', 'application/x-gzip').header('content-length', blob.sizeBytes);
    return reply.send(request.method === 'HEAD' ? null : await blobs.open(blob.id));
  }

  return [
    {
      method: 'POST',
      path: '/v1/sources',
      access: 'signed-in',
      handle: async ({ baseUrl }) => {
        const source = newSource(parts, baseUrl);
        return created({ ...source, source });
      },
    },
    {
      method: 'PUT',
      path: `${UPLOAD_PATH}:upload`,
      access: 'public',
      rawBody: true,
      bodyLimitBytes: settings.sourceBytes,
      deadlineMs: UPLOAD_DEADLINE_MS,
      respond: upload,
    },
    { method: 'GET', path: `${DOWNLOAD_PATH}:download`, access: 'public', respond: download },
  ];
}

/** Aborts when the client has left. Fastify's own signal aborts as soon as the body was read, too. */
function leftSignal(reply: FastifyReply): AbortSignal {
  const left = new AbortController();
  reply.raw.once('close', () => left.abort());
  return left.signal;
}
