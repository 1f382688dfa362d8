/** One measurement by wrk from the other core, with the CPU time that the measured process used meanwhile. */
import { readFile } from 'node:fs/promises';
import { run } from '../../src/lib/exec.ts';
import { environment, otherCore } from './pinning.ts';

export interface Sample {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU time of the process for each request. */
  readonly cpuUs: number;
  /** Answers other than 2xx and 3xx, and socket errors. */
  readonly failed: number;
}

export interface Target {
  readonly url: string;
  readonly pid: number;
  readonly headers: Readonly<Record<string, string>>;
}

const ticksPerSecond = 100;

/** Throws when wrk's output is not understood. */
export async function measure(target: Target, connections: number, seconds: number): Promise<Sample> {
  const before = await cpuSeconds(target.pid);
  const headers = Object.entries(target.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const load = [
    'wrk',
    '-t1',
    `-c${connections}`,
    `-d${seconds}s`,
    '--timeout',
    '10s',
    '--latency',
    ...headers,
    target.url,
  ];
  const { stdout, stderr } = await run(['taskset', '-c', otherCore, ...load], {
    environment,
    timeoutMs: seconds * 1_000 + 15_000,
  });
  const used = (await cpuSeconds(target.pid)) - before;
  const requestsPerSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
  if (!(requestsPerSecond >= 0)) throw new Error(`wrk said: ${stdout}${stderr}`);
  // A machine that is very busy may not get to a single one.
  const answered = requestsPerSecond > 0;
  const socketErrors = [...stdout.matchAll(/(?:connect|read|write|timeout) (\d+)/g)];
  return {
    requestsPerSecond,
    p50Ms: answered ? latencyMs(stdout, '50%') : Number.POSITIVE_INFINITY,
    p99Ms: answered ? latencyMs(stdout, '99%') : Number.POSITIVE_INFINITY,
    cpuUs: (used * 1e6) / Number(/(\d+) requests in/.exec(stdout)?.[1]),
    failed: socketErrors.reduce(
      (sum, [, count]) => sum + Number(count),
      Number(/Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0),
    ),
  };
}

function latencyMs(output: string, percentile: string): number {
  const found = new RegExp(`${percentile}\\s+([\\d.]+)(us|ms|s)`).exec(output);
  const scale = { us: 1e-3, ms: 1, s: 1e3 }[found?.[2] ?? ''] ?? Number.NaN;
  return Number(found?.[1]) * scale;
}

async function cpuSeconds(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
