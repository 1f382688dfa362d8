/** Runs one test file as a process of its own and says what became of its tests and of the processes it started. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Outcome } from '../../test/support/reporter.ts';
import { killLeftovers } from './leftovers.ts';
import type { TestFile } from './test-files.ts';

export interface FileResult {
  readonly path: string;
  readonly outcomes: readonly Outcome[];
  readonly durationMs: number;
  /** The end of what it wrote to stdout and stderr. */
  readonly output: string;
}

const reporter = fileURLToPath(new URL('../../test/support/reporter.ts', import.meta.url));
const outputCharacters = 32 * 1024;
/** Above the limit of one test: the file has lost its way outside of any test, or does not end. */
const silenceMarginMs = 15_000;

/** Runs the file; its process group and whatever else it left behind is gone when this resolves. Aborting kills it. */
export async function runFile(root: string, file: TestFile, signal: AbortSignal): Promise<FileResult> {
  const begin = performance.now();
  const temporary = await mkdtemp(join(tmpdir(), 'bt-'));
  // Tests drop to other users, who must be able to work in here as in any folder for temporary files.
  await chmod(temporary, 0o1777);
  const report = join(temporary, 'report.ndjson');
  const child = spawn(process.execPath, argvOf(root, file, report), {
    cwd: root,
    // Without node's own mark of a test run, under which it would report to a parent that is not there.
    env: { ...process.env, TMPDIR: temporary, NODE_TEST_CONTEXT: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const kill = (): void => killGroup(child.pid);
  signal.addEventListener('abort', kill, { once: true });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-outputCharacters);
    });
  }
  let stuck = false;
  const watchdog = watchForSilence(report, file.timeoutMs + silenceMarginMs, () => {
    stuck = true;
    kill();
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  watchdog();
  kill();
  signal.removeEventListener('abort', kill);
  const outcomes = parseReport(await readFile(report, 'utf8').catch(() => ''));
  const leftovers = await killLeftovers(temporary);
  await rm(temporary, { recursive: true, force: true, maxRetries: 3 });
  const fail = (name: string, detail: string): void => {
    outcomes.push({ name: `(file) ${name}`, kind: 'failed', durationMs: 0, detail });
  };
  if (stuck) fail('did not end', 'no test ended for longer than one may take: something keeps the process alive');
  else if (code !== 0 && !outcomes.some((outcome) => outcome.kind === 'failed')) fail(`ended with ${code}`, output);
  if (leftovers.length > 0) {
    fail('left processes behind', leftovers.map(({ pid, command }) => `${pid} ${command.slice(0, 200)}`).join('\n'));
  }
  return { path: file.path, outcomes, durationMs: performance.now() - begin, output };
}

const argvOf = (root: string, file: TestFile, report: string): string[] => [
  '--disable-warning=ExperimentalWarning',
  `--test-timeout=${file.timeoutMs}`,
  `--test-reporter=${reporter}`,
  `--test-reporter-destination=${report}`,
  join(root, file.path),
];

function parseReport(text: string): Outcome[] {
  // Killed amid a line, the last one is not whole.
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Outcome => JSON.parse(line));
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group is gone: that is how it should be.
  }
}

/** Calls `stuck` when the report has not grown for so long. Returns the way to stop watching. */
function watchForSilence(report: string, silenceMs: number, stuck: () => void): () => void {
  let size = -1;
  let grewAt = performance.now();
  const timer = setInterval(async () => {
    const now = await stat(report)
      .then((found) => found.size)
      .catch(() => 0);
    if (now !== size) {
      size = now;
      grewAt = performance.now();
    } else if (performance.now() - grewAt > silenceMs) {
      stuck();
    }
  }, 1000);
  return () => clearInterval(timer);
}
