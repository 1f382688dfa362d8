/**
 * Graphs of the last hours, by the minute, as a bare list: what containers used (their mean), and what the router passed on, which its
 * lines in the app's log tell.
 */
import type { AppView } from '../../../core/apps/app.ts';
import type { InstanceMetric } from '../../../core/ports/metric-store.ts';
import { type Answer, type Call, ok, param, queried, type Route } from '../call.ts';
import { containerLabel } from '../container-label.ts';
import { notThere, unprocessable } from '../errors.ts';
import type { ScalingoParts } from '../settings.ts';
import { byMinute, count, mean, type Point, percentile, type Sample } from './points.ts';

const HOUR_MS = 60 * 60_000;
const HOURS_MAX = 72;
const ACCESS_LINES_MAX = 50_000;

/** The platform's metric, and how many of this API's units one of it is. */
const ofContainers: Readonly<Record<string, readonly [metric: InstanceMetric, factor: number]>> = {
  cpu: ['cpuCores', 100],
  memory: ['memoryResidentBytes', 1],
  ram: ['memoryResidentBytes', 1],
};

const metricTypes = [
  { id: 'cpu', label: 'CPU', suffix: '%', type: 'global' },
  { id: 'memory', label: 'Memory', suffix: 'B', type: 'global' },
  { id: 'swap', label: 'Swap', suffix: 'B', type: 'global' },
  { id: 'router', label: 'Requests per minute', suffix: 'rpm', type: 'router' },
  { id: 'requests', label: 'Response time', suffix: 'ms', type: 'router' },
];

export function graphRoutes({ core, clock }: ScalingoParts): readonly Route[] {
  async function graph(call: Call): Promise<Answer> {
    const app = await core.apps.get(call.actor, param(call, 'app'));
    const from = new Date(clock.now().getTime() - hoursInput(queried(call, 'since')) * HOUR_MS);
    const points = await pointsOf(call, app, param(call, 'metric'), from);
    return ok(queried(call, 'last') === 'true' ? points.slice(-1) : points);
  }

  async function pointsOf(call: Call, app: AppView, metric: string, from: Date): Promise<readonly Point[]> {
    const known = ofContainers[metric];
    if (known !== undefined) return byMinute(await containerSamples(call, app, known, from), mean);
    switch (metric) {
      // Containers get none.
      case 'swap':
        return byMinute(await containerSamples(call, app, ['memoryResidentBytes', 0], from), mean);
      case 'router':
        return byMinute(await accessSamples(call, app, from), count);
      case 'requests':
        return byMinute(await accessSamples(call, app, from), foldInput(queried(call, 'statistics_type')));
      default:
        throw notThere('metric');
    }
  }

  async function containerSamples(
    call: Call,
    app: AppView,
    [metric, factor]: readonly [InstanceMetric, number],
    from: Date,
  ): Promise<readonly Sample[]> {
    const process = param(call, 'type');
    const instance = await instanceInput(call, app, process, param(call, 'index'));
    const series = await core.metrics.query(call.actor, app.id, {
      metric,
      from,
      to: clock.now(),
      ...(process === '' ? {} : { process }),
      ...(instance === undefined ? {} : { instance }),
    });
    return series.flatMap(({ points }) => points.map(({ at, value }) => ({ at, value: value * factor })));
  }

  /** The container that has the label now. */
  async function instanceInput(call: Call, app: AppView, type: string, index: string): Promise<string | undefined> {
    if (index === '') return undefined;
    const instances = await core.instances.list(call.actor, app.id);
    const label = `${type}-${index}`;
    const found = instances.find((item) => containerLabel(item) === label && item.state !== 'draining');
    if (found === undefined) throw notThere('container');
    return found.id;
  }

  /** How long each request took, of those with the asked-for status. */
  async function accessSamples(call: Call, app: AppView, from: Date): Promise<readonly Sample[]> {
    const status = statusInput(queried(call, 'status_code'));
    const samples: Sample[] = [];
    const options = { lines: ACCESS_LINES_MAX, follow: false, filter: { source: 'router' as const } };
    const { lines: batches } = await core.logs.read(call.actor, app.id, options);
    for await (const { lines } of batches) {
      for (const { at, text } of lines) {
        const found = at < from ? null : accessOf(text);
        if (found !== null && (status === null || found.status[0] === status)) samples.push({ at, value: found.ms });
      }
    }
    return samples;
  }

  const path = '/v1/apps/:app/stats/:metric';
  return [
    ...[path, `${path}/:type`, `${path}/:type/:index`].map(
      (each): Route => ({ method: 'GET', path: each, access: 'app.read.metric', handle: graph }),
    ),
    {
      method: 'GET',
      path: '/v1/features/metrics',
      access: 'signed-in',
      handle: async () => ok({ metrics: metricTypes }),
    },
  ];
}

function hoursInput(since: string | undefined): number {
  if (since === undefined) return 1;
  const hours = /^\d{1,2}$/.test(since) ? Number(since) : 0;
  if (hours < 1 || hours > HOURS_MAX)
    throw unprocessable('since', `should be a number of hours from 1 to ${HOURS_MAX}`);
  return hours;
}

/** The first digit of the statuses that count; null: all. */
function statusInput(said: string | undefined): string | null {
  if (said === undefined || said === 'all') return null;
  const digit = /^([1-5])XX$/i.exec(said)?.[1];
  if (digit === undefined) throw unprocessable('status_code', 'should be one of all, 1XX, 2XX, 3XX, 4XX, 5XX');
  return digit;
}

function foldInput(said: string | undefined): (values: readonly number[]) => number {
  switch (said ?? 'mean') {
    case 'mean':
      return mean;
    case 'median':
      return (values) => percentile(values, 50);
    case 'p95':
      return (values) => percentile(values, 95);
    case 'p99':
      return (values) => percentile(values, 99);
    default:
      throw unprocessable('statistics_type', 'should be one of mean, median, p95, p99');
  }
}

/** Of a line of the router; what a client sends stands behind these fields. */
function accessOf(line: string): { readonly status: string; readonly ms: number } | null {
  const status = / status=(\d{3}) /.exec(line)?.[1];
  const ms = / total=(\d+(?:\.\d+)?)ms /.exec(line)?.[1];
  return status === undefined || ms === undefined ? null : { status, ms: Number(ms) };
}
