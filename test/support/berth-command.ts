/** The operator's commands as people run them, beside a platform. */
import { join } from 'node:path';
import { run } from '../../src/lib/exec.ts';

const script = join(import.meta.dirname, '../../src/main/berth.ts');

export interface Said {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs `berth <args>` on a data folder to its end. */
export async function berth(dataFolder: string, ...args: readonly string[]): Promise<Said> {
  const { code, stdout, stderr } = await run(
    [process.execPath, '--disable-warning=ExperimentalWarning', script, ...args],
    { environment: { PATH: process.env.PATH ?? '', BERTH_DATA: dataFolder }, timeoutMs: 90_000 },
  );
  return { code, out: stdout, err: stderr };
}
