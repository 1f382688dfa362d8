/** Docker's way to send two outputs over one stream: each piece has eight bytes before it that say whose it is and how long. */

export const STDOUT = 1;
export const STDERR = 2;

const HEADER_BYTES = 8;

/** `[stream, 0, 0, 0, length as 32 bits big endian]`, then the piece; nothing for an empty one. */
export function multiplexed(stream: typeof STDOUT | typeof STDERR, piece: Uint8Array): Buffer {
  if (piece.length === 0) return Buffer.alloc(0);
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + piece.length);
  bytes.writeUInt32BE(stream * 0x1000000, 0);
  bytes.writeUInt32BE(piece.length, 4);
  bytes.set(piece, HEADER_BYTES);
  return bytes;
}
