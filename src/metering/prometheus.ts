/**
 * The platform's own metrics in Prometheus' form. Labels come from fixed sets or from rows (apps, processes), never from what a caller
 * sends, so that their number stays bounded.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { EngineInstance } from '../core/ports/engine.ts';
import type { RouterCounters } from '../core/ports/router.ts';

export interface RequestLabels {
  readonly dialect: string;
  readonly method: string;
  /** The route's pattern, such as `/apps/:app`; never the path that was asked for. */
  readonly route: string;
  readonly status: number;
}

export interface MetricSources {
  /** Asked at each scrape; one that fails leaves its metrics out and the others in. */
  readonly instances?: () => Promise<readonly EngineInstance[]>;
  readonly router?: () => Promise<readonly RouterCounters[]>;
  /** Handle for an app's id, as label; the id itself where unknown. */
  readonly handleOf?: (appId: string) => string;
}

export interface PlatformMetrics {
  /** A request that was answered, and after how many seconds. */
  observeRequest(labels: RequestLabels, seconds: number): void;
  /** An operation (deploy, scale, …) that ended, and after how many seconds. */
  observeOperation(kind: string, outcome: 'succeeded' | 'failed' | 'cancelled', seconds: number): void;
  observeBuild(outcome: 'succeeded' | 'failed' | 'cancelled', seconds: number): void;
  /** Log lines that a slow reader lost. */
  countDroppedLines(count: number): void;
  /** What to answer a scrape with, of type `contentType`. */
  render(): Promise<string>;
  readonly contentType: string;
}

/** Metrics of one process of the platform; `name` is that process: server, router, agent. */
export function createPlatformMetrics(name: string, sources: MetricSources = {}): PlatformMetrics {
  const registry = new Registry();
  registry.setDefaultLabels({ berth_process: name });
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const requests = new Histogram({
    name: 'berth_http_request_duration_seconds',
    help: 'Requests to the platform, by the dialect they came through',
    labelNames: ['dialect', 'method', 'route', 'status'] as const,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers,
  });
  const work = [1, 2.5, 5, 10, 30, 60, 120, 300, 900];
  const operations = new Histogram({
    name: 'berth_operation_duration_seconds',
    help: 'Operations that ended',
    labelNames: ['kind', 'outcome'] as const,
    buckets: [0.1, 0.5, ...work],
    registers,
  });
  const builds = new Histogram({
    name: 'berth_build_duration_seconds',
    help: 'Builds that ended',
    labelNames: ['outcome'] as const,
    buckets: work,
    registers,
  });
  const droppedLines = new Counter({
    name: 'berth_log_lines_dropped_total',
    help: 'Log lines that readers lost because they were too slow',
    registers,
  });
  const handleOf = sources.handleOf ?? ((appId: string) => appId);
  // Before a scrape, not as the metrics' own collectors: those run one by one, amid the rendering of the others.
  const refresh = [
    ...(sources.instances === undefined ? [] : [instanceGauge(registers, sources.instances, handleOf)]),
    ...(sources.router === undefined ? [] : [routerMetrics(registers, sources.router, handleOf)]),
  ];

  return {
    observeRequest: ({ status, ...labels }, seconds) =>
      requests.observe({ ...labels, status: String(status) }, seconds),
    observeOperation: (kind, outcome, seconds) => operations.observe({ kind, outcome }, seconds),
    observeBuild: (outcome, seconds) => builds.observe({ outcome }, seconds),
    countDroppedLines: (count) => droppedLines.inc(count),
    async render() {
      await Promise.all(refresh.map((each) => each()));
      return registry.metrics();
    },
    contentType: registry.contentType,
  };
}

type HandleOf = (appId: string) => string;
type Refresh = () => Promise<void>;

function instanceGauge(
  registers: Registry[],
  source: NonNullable<MetricSources['instances']>,
  handleOf: HandleOf,
): Refresh {
  const gauge = new Gauge({
    name: 'berth_instances',
    help: 'Instances that the engine has, by state',
    labelNames: ['app', 'process', 'state'] as const,
    registers,
  });
  return async () => {
    const instances = await source().catch(() => []);
    gauge.reset();
    for (const { appId, processType, state } of instances)
      gauge.inc({ app: handleOf(appId), process: processType, state });
  };
}

/** The router counts; here its totals are only handed on. A total that the router began anew is a reset, which Prometheus knows. */
function routerMetrics(
  registers: Registry[],
  source: NonNullable<MetricSources['router']>,
  handleOf: HandleOf,
): Refresh {
  const labelNames = ['app'] as const;
  const counter = (name: string, help: string): Counter<'app'> => new Counter({ name, help, labelNames, registers });
  const totals = {
    requests: counter('berth_router_requests_total', 'Requests that the router passed on'),
    failed: counter('berth_router_failed_total', 'Requests that the router had to answer itself with an error'),
    receivedBytes: counter('berth_router_received_bytes_total', 'Bytes from clients'),
    sentBytes: counter('berth_router_sent_bytes_total', 'Bytes to clients'),
    durationSeconds: counter('berth_router_request_seconds_total', 'Seconds that requests took, all together'),
  };
  const inFlight = new Gauge({
    name: 'berth_router_requests_in_flight',
    help: 'Requests that the router is passing on right now',
    labelNames,
    registers,
  });
  return async () => {
    const rows = await source().catch(() => []);
    for (const metric of [inFlight, ...Object.values(totals)]) metric.reset();
    for (const row of rows) {
      const labels = { app: handleOf(row.appId) };
      inFlight.inc(labels, row.inFlight);
      totals.requests.inc(labels, row.requests);
      totals.failed.inc(labels, row.failed);
      totals.receivedBytes.inc(labels, row.receivedBytes);
      totals.sentBytes.inc(labels, row.sentBytes);
      totals.durationSeconds.inc(labels, row.durationSeconds);
    }
  };
}
