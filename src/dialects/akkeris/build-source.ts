/** Reads where a build's source is. A source that came along as a data URI is put aside as a blob, so that no row and no log holds it. */
import { Readable } from 'node:stream';
import type { BlobStore } from '../../core/ports/blob-store.ts';
import type { SourceLocation } from '../../core/ports/builder.ts';
import { Secret } from '../../core/ports/secret.ts';
import { unprocessable } from './errors.ts';

/** Throws a 422 refusal for a URL of another kind, or an image without a tag. */
export async function sourceInput(
  url: string | undefined,
  checksum: string | undefined,
  blobs: BlobStore,
  maxBytes: number,
): Promise<SourceLocation> {
  const trimmed = url?.trim() ?? '';
  if (trimmed === '') throw unprocessable('The url of the source was not specified.');
  const docker = /^docker:\/\/(.+)$/i.exec(trimmed)?.[1];
  if (docker !== undefined) {
    if (!/:[^/:@]+$|@sha256:[0-9a-f]{64}$/.test(docker))
      throw unprocessable('The docker url is invalid, it must have a tag.');
    return { kind: 'image', reference: new Secret(docker) };
  }
  const known = checksum === undefined || checksum.trim() === '' ? null : checksum.trim();
  if (/^https?:\/\//i.test(trimmed)) return { kind: 'archive', url: new Secret(trimmed), checksum: known };
  if (!/^data:/i.test(trimmed))
    throw unprocessable('The url of the source is invalid, it must be a docker, http, https or data url.');
  const bytes = base64Bytes(trimmed);
  // Anything but plain base64 is small and rare: the builder reads it, or says what is wrong with it.
  if (bytes === null) return { kind: 'archive', url: new Secret(trimmed), checksum: known };
  const blob = await blobs.put(Readable.from([bytes]), { maxBytes });
  return { kind: 'archive', url: new Secret(`upload:${blob.id}`), checksum: known };
}

function base64Bytes(uri: string): Buffer | null {
  const comma = uri.indexOf(',');
  if (comma < 0 || !/(?:^data:|;)base64$/i.test(uri.slice(0, comma))) return null;
  const payload = uri.slice(comma + 1);
  const bytes = Buffer.from(payload, 'base64');
  // Node skips what is no base64; then the lengths do not fit.
  const expected = Math.floor((payload.replace(/={0,2}$/, '').length * 3) / 4);
  return bytes.length > 0 && bytes.length === expected ? bytes : null;
}
