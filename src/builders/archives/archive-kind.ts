/** Tells an archive by its first bytes, never by its name. */

export type ArchiveKind = 'tar' | 'tgz' | 'tar.zst' | 'zip' | 'xz' | 'bzip2' | 'unknown';

/** How many bytes `archiveKind` wants to see (fewer when the archive is shorter). */
export const headBytes = 512;

export function archiveKind(head: Uint8Array): ArchiveKind {
  const starts = (...bytes: number[]): boolean => bytes.every((byte, at) => head[at] === byte);
  if (starts(0x1f, 0x8b)) return 'tgz';
  if (starts(0x50, 0x4b, 0x03, 0x04) || starts(0x50, 0x4b, 0x05, 0x06)) return 'zip';
  if (starts(0x28, 0xb5, 0x2f, 0xfd)) return 'tar.zst';
  if (starts(0xfd, 0x37, 0x7a, 0x58, 0x5a)) return 'xz';
  if (starts(0x42, 0x5a, 0x68)) return 'bzip2';
  return hasTarChecksum(head) ? 'tar' : 'unknown';
}

/** A tar header holds the sum of its own bytes, its sum field counted as blanks; that holds for every tar format. */
function hasTarChecksum(head: Uint8Array): boolean {
  if (head.length < headBytes) return false;
  const field = Buffer.from(head.subarray(148, 156)).toString('latin1');
  const written = /^[ ]*([0-7]+)[ \0]*$/.exec(field)?.[1];
  if (written === undefined) return head.every((byte) => byte === 0);
  let sum = 0;
  for (let at = 0; at < headBytes; at += 1) sum += at >= 148 && at < 156 ? 32 : (head[at] ?? 0);
  return sum === Number.parseInt(written, 8);
}
