/**
 * Reads `data:` URIs as they are really sent: `data:[type][;charset=…][;base64],bytes`, the short `data:base64,bytes`, base64 in either
 * alphabet, with or without padding, wrapped in lines, or itself percent-encoded; and plain percent-encoded bytes.
 */
import { BuildFailure } from '../../core/ports/builder.ts';
import { formatBytes } from '../limits.ts';

/** The bytes that the URI holds. Throws BuildFailure `source` when it is malformed, empty or holds more than `maxBytes`. */
export function parseDataUri(uri: string, maxBytes: number): Buffer {
  const comma = uri.indexOf(',');
  if (!/^data:/i.test(uri) || comma < 0) throw new BuildFailure('source', 'the data URI has no comma before its bytes');
  const parameters = uri.slice('data:'.length, comma).toLowerCase().split(';');
  const isBase64 = parameters.some((parameter) => parameter.trim() === 'base64');
  const payload = uri.slice(comma + 1);
  // Base64 grows by a third, percent-encoding up to threefold.
  if (payload.length > maxBytes * 4 + 1024) throw tooLarge(maxBytes);
  const bytes = isBase64 ? decodeBase64(payload) : decodePercent(payload);
  if (bytes.length > maxBytes) throw tooLarge(maxBytes);
  if (bytes.length === 0) throw new BuildFailure('source', 'the data URI is empty');
  return bytes;
}

function tooLarge(maxBytes: number): BuildFailure {
  return new BuildFailure('source', `the source is larger than ${formatBytes(maxBytes)}`);
}

function decodeBase64(payload: string): Buffer {
  // In base64 a `+` is a `+`, never a blank, and a `%` can only be an encoded character.
  const plain = payload.includes('%') ? decodePercent(payload).toString('latin1') : payload;
  const text = plain.replace(/[\s\0]+/g, '');
  const body = text.replace(/={0,2}$/, '');
  if (!/^[A-Za-z0-9+/_-]*$/.test(body) || body.length % 4 === 1) {
    throw new BuildFailure('source', 'the data URI is not valid base64');
  }
  return Buffer.from(body, 'base64');
}

function decodePercent(payload: string): Buffer {
  const bytes = Buffer.from(payload, 'utf8');
  let length = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    let byte = bytes[at] ?? 0;
    if (byte === 0x25) {
      const pair = bytes.toString('latin1', at + 1, at + 3);
      if (!/^[0-9a-fA-F]{2}$/.test(pair)) throw new BuildFailure('source', 'the data URI has a malformed % sequence');
      byte = Number.parseInt(pair, 16);
      at += 2;
    }
    bytes[length] = byte;
    length += 1;
  }
  return bytes.subarray(0, length);
}
