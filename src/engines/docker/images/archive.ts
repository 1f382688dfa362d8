/**
 * Archives for the daemon, made while they are sent: nothing lies in a folder that somebody would have to delete. One that cannot be made
 * whole breaks off without its end, so that the daemon makes no image of half of it.
 */
import { Readable } from 'node:stream';
import { type Pack, pack } from 'tar-stream';
import { start } from '../../../lib/exec.ts';

/** Two empty blocks say that an archive is over. */
const end = Buffer.alloc(1_024);
const environment = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };
const longestComplaint = 300;

/** Several as one. The parts begin one after the other; the first that fails is the failure of the whole. */
export const archiveOf = (...parts: readonly AsyncIterable<Buffer>[]): Readable =>
  Readable.from(joined(parts), { objectMode: false });

async function* joined(parts: readonly AsyncIterable<Buffer>[]): AsyncGenerator<Buffer> {
  for (const part of parts) {
    let held = Buffer.alloc(0);
    for await (const chunk of part) {
      held = Buffer.concat([held, chunk]);
      if (held.length <= end.length) continue;
      yield held.subarray(0, -end.length);
      held = held.subarray(-end.length);
    }
    if (!held.equals(end)) throw new Error('an archive has no end');
  }
  yield end;
}

/** What GNU tar makes of these arguments, with `input` as its standard input; owners are numbers. Fails when tar says so. */
export async function* byTar(words: readonly string[], input = ''): AsyncGenerator<Buffer> {
  // No more than the two blocks at its end.
  const argv = ['tar', '--create', '--numeric-owner', '--blocking-factor=1', ...words];
  const tar = start(argv, { environment, stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve, reject) => tar.once('error', reject).once('close', resolve));
  ended.catch(() => {});
  let complaint = '';
  tar.stderr?.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(0, longestComplaint);
  });
  tar.stdin?.on('error', () => {});
  tar.stdin?.end(input);
  try {
    for await (const chunk of tar.stdout ?? []) yield chunk as Buffer;
    if ((await ended) !== 0) throw new Error(`tar cannot put everything together: ${complaint.trim()}`);
  } finally {
    tar.kill('SIGKILL');
  }
}

/** What `fill` packs. */
export async function* packed(fill: (tar: Pack) => Promise<void> | void): AsyncGenerator<Buffer> {
  const tar = pack();
  const filling = (async () => fill(tar))().then(
    () => tar.finalize(),
    (error: Error) => tar.destroy(error),
  );
  for await (const chunk of tar) yield chunk as Buffer;
  await filling;
}
