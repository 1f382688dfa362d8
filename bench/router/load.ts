/** One measurement: wrk against a port, with the CPU time that a process tree used meanwhile. */
import { readdir, readFile } from 'node:fs/promises';
import { run } from '../../src/lib/exec.ts';
import { otherCore } from './subjects.ts';

export interface Sample {
  readonly requestsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** CPU time of the process tree for each request; NaN without a pid. */
  readonly cpuUs: number;
  /** Answers other than 2xx/3xx, and socket errors. */
  readonly failed: number;
}

const ticksPerSecond = 100;

/** Runs wrk for `seconds` with `connections`; throws when its output is not understood. */
export async function measure(port: number, pid: number | null, connections: number, seconds: number): Promise<Sample> {
  const before = pid === null ? Number.NaN : await cpuSeconds(pid);
  const result = await run(
    [
      'taskset',
      '-c',
      otherCore,
      'wrk',
      '-t1',
      `-c${connections}`,
      `-d${seconds}s`,
      '--latency',
      '-H',
      'Host: bench.test',
      `http://127.0.0.1:${port}/`,
    ],
    { environment: { PATH: '/usr/local/bin:/usr/bin:/bin' }, timeoutMs: seconds * 1000 + 10_000 },
  );
  const after = pid === null ? Number.NaN : await cpuSeconds(pid);
  const requests = Number(/(\d+) requests in/.exec(result.stdout)?.[1]);
  const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(result.stdout)?.[1]);
  if (!(rate > 0)) throw new Error(`wrk said: ${result.stdout}${result.stderr}`);
  const socketErrors = [.../(?:connect|read|write|timeout) (\d+)/g[Symbol.matchAll](result.stdout)];
  const failed =
    Number(/Non-2xx or 3xx responses: (\d+)/.exec(result.stdout)?.[1] ?? 0) +
    socketErrors.reduce((sum, each) => sum + Number(each[1]), 0);
  return {
    requestsPerSecond: rate,
    p50Us: latencyUs(result.stdout, '50%'),
    p99Us: latencyUs(result.stdout, '99%'),
    cpuUs: ((after - before) * 1e6) / requests,
    failed,
  };
}

function latencyUs(output: string, percentile: string): number {
  const found = new RegExp(`${percentile}\\s+([\\d.]+)(us|ms|s)`).exec(output);
  const scale = { us: 1, ms: 1e3, s: 1e6 }[found?.[2] ?? ''] ?? Number.NaN;
  return Number(found?.[1]) * scale;
}

/** User and system time of a process and all below it. */
async function cpuSeconds(root: number): Promise<number> {
  const stats = new Map<number, { parent: number; ticks: number }>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const text = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => null);
    if (text === null) continue;
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    stats.set(Number(name), { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) });
  }
  const below = (pid: number): number => {
    let ticks = stats.get(pid)?.ticks ?? 0;
    for (const [child, { parent }] of stats) if (parent === pid) ticks += below(child);
    return ticks;
  };
  return below(root) / ticksPerSecond;
}
