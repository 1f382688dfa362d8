/**
 * Router throughput beside nginx and HAProxy in the same run: 1 KB answers over kept connections, each proxy alone on one core, rounds
 * interleaved so that the machine's moods hit all alike. Prints medians. Needs two cores, taskset and wrk; takes less than a minute.
 */
import { availableParallelism } from 'node:os';
import { measure, type Sample } from './load.ts';
import { hasProgram, type Subject, startSubjects } from './subjects.ts';

const rounds = 3;
const loadedConnections = 64;
const loadedSeconds = 2;
const quietSeconds = 1;

interface Row {
  readonly subject: Subject;
  readonly loaded: Sample[];
  readonly quiet: Sample[];
}

const missing = await whatIsMissing();
if (missing !== null) console.log(`router throughput: skipped, ${missing}`);
else await compare();

async function whatIsMissing(): Promise<string | null> {
  if (availableParallelism() < 2) return 'one core is not enough to keep the load away from the proxy';
  if (!(await hasProgram('wrk', '-v'))) return 'wrk is not installed (apt-get install wrk)';
  if (!(await hasProgram('taskset', '-V'))) return 'taskset is not installed (apt-get install util-linux)';
  return null;
}

async function compare(): Promise<void> {
  const subjects = await startSubjects();
  try {
    const rows: Row[] = subjects.list.map((subject) => ({ subject, loaded: [], quiet: [] }));
    for (const { subject } of rows) await measure(subject.port, subject.pid, loadedConnections, 1);
    for (let round = 0; round < rounds; round++)
      for (const row of rows) {
        row.loaded.push(await measure(row.subject.port, row.subject.pid, loadedConnections, loadedSeconds));
        row.quiet.push(await measure(row.subject.port, row.subject.pid, 1, quietSeconds));
      }
    print(rows);
    for (const reason of subjects.skipped) console.log(`skipped ${reason}`);
  } finally {
    await subjects.close();
  }
}

function print(rows: readonly Row[]): void {
  const direct = rows[0];
  if (direct === undefined) return;
  const rate = (row: Row): number => median(row.loaded, 'requestsPerSecond');
  console.log(`router, ${loadedConnections} connections, 1 KB, one core for each proxy; medians of ${rounds} rounds`);
  console.log('(quiet: one connection; added: over direct; berth and nginx write access lines, haproxy none)');
  console.table(
    Object.fromEntries(
      rows.map((row) => [
        row.subject.name,
        {
          'requests/s': Math.round(rate(row)),
          'of direct': round2(rate(row) / rate(direct)),
          'p50 ms': round2(median(row.loaded, 'p50Us') / 1000),
          'p99 ms': round2(median(row.loaded, 'p99Us') / 1000),
          'added p50 quiet µs': Math.round(median(row.quiet, 'p50Us') - median(direct.quiet, 'p50Us')),
          'added p99 quiet µs': Math.round(median(row.quiet, 'p99Us') - median(direct.quiet, 'p99Us')),
          'CPU µs/request': round2(median(row.loaded, 'cpuUs')),
          failed: [...row.loaded, ...row.quiet].reduce((sum, sample) => sum + sample.failed, 0),
        },
      ]),
    ),
  );
  const berth = rows.find((row) => row.subject.name === 'berth');
  const nginx = rows.find((row) => row.subject.name === 'nginx');
  if (berth !== undefined && nginx !== undefined)
    console.log(`berth / nginx: ${round2(rate(berth) / rate(nginx))} (goal: 0.5)`);
}

function median(samples: readonly Sample[], key: keyof Sample): number {
  const sorted = samples.map((sample) => sample[key]).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
