/** Programs of the system that tests prepare machines with. */
import { accessSync, constants, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../src/lib/exec.ts';

const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
export const systemEnvironment = { PATH: folders.join(':'), LC_ALL: 'C' };

/** Runs it to its end and gives its output; rejects with what it said when it fails. */
export async function command(...argv: string[]): Promise<string> {
  const result = await run(argv, { environment: systemEnvironment, timeoutMs: 60_000 });
  if (result.code !== 0) throw new Error(`${argv.join(' ')}: ${result.stderr.trim()}`);
  return result.stdout;
}

/** The same where it is no error that there is nothing to do. */
export async function attempt(...argv: string[]): Promise<void> {
  await run(argv, { environment: systemEnvironment, timeoutMs: 60_000 });
}

export const isInstalled = (program: string): boolean =>
  folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** A file's text; empty when it is not there. */
export function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
