/** Where a stream's segments lie: `<root>/<kind>/<key>/000001.log` and on. Names that could leave the root are refused. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid } from '../core/errors.ts';

const streamPattern = /^[a-z][a-z0-9-]{0,31}\/[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;
const segmentPattern = /^(\d{6,12})\.log$/;

/** The folder of a stream such as `apps/<uuid>`; throws BerthError `invalid` for any other form. */
export function streamFolder(root: string, stream: string): string {
  if (!streamPattern.test(stream)) throw invalid('stream', 'a log stream is named <kind>/<id>', 'malformed');
  return join(root, stream);
}

export const segmentPath = (folder: string, number: number): string =>
  join(folder, `${String(number).padStart(6, '0')}.log`);

/** Whether an error says that the file or folder is not there. */
export const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');

/** The numbers of a stream's segments, oldest first; none for a stream that is not there. */
export async function listSegments(folder: string): Promise<number[]> {
  try {
    const numbers: number[] = [];
    for (const name of await readdir(folder)) {
      const found = segmentPattern.exec(name)?.[1];
      if (found !== undefined) numbers.push(Number(found));
    }
    return numbers.sort((a, b) => a - b);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
