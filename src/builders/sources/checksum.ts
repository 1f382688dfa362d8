/** The checksum that a caller may send along with a source. */
import { BuildFailure } from '../../core/ports/builder.ts';

/** SHA-256 in lower-case hex, or null when nothing is to be checked. Throws BuildFailure `checksum` when it is malformed. */
export function parseChecksum(text: string | null): string | null {
  const trimmed = (text ?? '').trim();
  if (trimmed === '') return null;
  const hex = /^(?:sha-?256:)?([0-9a-f]{64})$/i.exec(trimmed)?.[1];
  if (hex === undefined) throw new BuildFailure('checksum', 'the checksum must be sha256: and 64 hex digits');
  return hex.toLowerCase();
}

/** Throws BuildFailure `checksum` unless nothing was expected or it is what came. */
export function verifyChecksum(expected: string | null, actual: string): void {
  if (expected === null || expected === actual) return;
  throw new BuildFailure('checksum', `the source's checksum is sha256:${actual}, not sha256:${expected} as announced`);
}
