/** `npm start` as people run it: the set-up, then the platform, in a process group of its own. */
import type { TestContext } from 'node:test';
import { start } from '../../src/lib/exec.ts';
import { until } from './until.ts';

export interface StartCommand {
  readonly pid: number;
  /** What it has printed so far. */
  output(): string;
  /** Waits until it says so; rejects when it ends instead. */
  untilSays(text: string): Promise<void>;
  /** Ctrl-C: the signal goes to the whole group. Resolves with the exit code. */
  interrupt(): Promise<number | null>;
  readonly ended: Promise<number | null>;
}

const script = new URL('../../setup/run.mjs', import.meta.url).pathname;
const PATIENCE_MS = 90_000;

export function startCommand(
  t: Pick<TestContext, 'after'>,
  dataFolder: string,
  port: number,
  argv: readonly string[] = [],
): StartCommand {
  const { NODE_TEST_CONTEXT: _own, ...environment } = process.env;
  const child = start([process.execPath, script, 'start', ...argv], {
    environment: {
      ...Object.fromEntries(
        Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
      ),
      BERTH_DATA: dataFolder,
      BERTH_PORT: String(port),
    },
    ownGroup: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('npm start could not be run');
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
    });
  let over = false;
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  void ended.then(() => {
    over = true;
  });
  const interrupt = (): Promise<number | null> => {
    if (!over) process.kill(-pid, 'SIGINT');
    return ended;
  };
  t.after(async () => {
    await interrupt();
  });
  return {
    pid,
    output: () => output,
    async untilSays(text) {
      await until(
        `npm start says ${text}`,
        () => {
          if (!output.includes(text) && over) throw new Error(`it ended:\n${output}`);
          return output.includes(text);
        },
        PATIENCE_MS,
      ).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${output}`);
      });
    },
    interrupt,
    ended,
  };
}
