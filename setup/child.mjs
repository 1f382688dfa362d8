/** Starts programs for the set-up: in the foreground with signals handed on, or with their output kept back until something fails. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs a program with our terminal and gives its exit code, 128 + n when signal n ended it. Signals reach it and then it is waited for,
 * so that nothing of it is left when we end.
 */
export function runToEnd(argv, { environment, cwd }) {
  return new Promise((resolve, reject) => {
    const child = spawn(argv[0], argv.slice(1), { env: environment, cwd, stdio: 'inherit' });
    const handlers = forwarded.map((signal) => {
      // At a terminal Ctrl-C has already reached the child by itself: a second one would say "hurry".
      const handler = () => {
        if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
      };
      process.on(signal, handler);
      return [signal, handler];
    });
    const watch = endWithParent(child);
    const settle = () => {
      clearInterval(watch);
      for (const [signal, handler] of handlers) process.off(signal, handler);
    };
    child.once('error', (error) => {
      settle();
      reject(error);
    });
    child.once('exit', (code, signal) => {
      settle();
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

/**
 * npm hands a SIGTERM to the shell between it and us, which ends without telling us. So a parent that is gone counts as SIGTERM; not
 * for those who started us by hand and put us in the background.
 */
function endWithParent(child) {
  const parent = process.ppid;
  if (process.env.npm_lifecycle_event === undefined) return undefined;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    child.kill('SIGTERM');
  }, 250);
  return watch;
}

/** Runs a program quietly; resolves with its code and all it wrote. A missing program is code 127. */
export function runQuietly(argv, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(argv[0], argv.slice(1), {
      env: { ...process.env, ...options.environment },
      cwd: options.cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const keep = (chunk) => {
      output = (output + chunk).slice(-64 * 1024);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', (error) => resolve({ code: 127, output: String(error) }));
    child.once('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/** Shows one line with the seconds that went by while `work` runs: rewritten in place on a terminal, otherwise begin and end. */
export async function withProgress(label, work) {
  const begin = Date.now();
  const seconds = () => `${((Date.now() - begin) / 1000).toFixed(0)} s`;
  const terminal = process.stderr.isTTY;
  process.stderr.write(`${label} …${terminal ? '' : '\n'}`);
  const timer = terminal ? setInterval(() => process.stderr.write(`\r${label} … ${seconds()}`), 1000) : undefined;
  try {
    return await work();
  } finally {
    clearInterval(timer);
    process.stderr.write(`${terminal ? '\r' : ''}${label} … ${seconds()}\n`);
  }
}
