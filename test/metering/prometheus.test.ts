import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RouterCounters } from '../../src/core/ports/router.ts';
import { createPlatformMetrics } from '../../src/metering/prometheus.ts';
import { instanceOf } from './samples.ts';

const countersOf = (requests: number): RouterCounters => ({
  appId: 'id-1',
  requests,
  failed: 1,
  byStatus: { '200': requests },
  receivedBytes: 10,
  sentBytes: 20,
  durationSeconds: 0.5,
  inFlight: 2,
});

test('what was observed is rendered in the text format', async () => {
  const metrics = createPlatformMetrics('server');
  metrics.observeRequest({ dialect: 'akkeris', method: 'GET', route: '/apps/:app', status: 200 }, 0.02);
  metrics.observeOperation('deploy', 'succeeded', 3);
  metrics.observeBuild('failed', 12);
  metrics.countDroppedLines(5);
  const body = await metrics.render();
  assert.match(metrics.contentType, /^text\/plain; version=0\.0\.4/);
  for (const line of [
    /^berth_http_request_duration_seconds_count\{berth_process="server",dialect="akkeris",method="GET",route="\/apps\/:app",status="200"\} 1$/m,
    /^berth_operation_duration_seconds_sum\{berth_process="server",kind="deploy",outcome="succeeded"\} 3$/m,
    /^berth_build_duration_seconds_bucket\{le="30",berth_process="server",outcome="failed"\} 1$/m,
    /^berth_log_lines_dropped_total\{berth_process="server"\} 5$/m,
    /^process_resident_memory_bytes/m,
    /^nodejs_eventloop_lag_p99_seconds/m,
  ]) {
    assert.match(body, line);
  }
});

test('sources are asked at each scrape, under the names of the apps', async () => {
  let requests = 7;
  const metrics = createPlatformMetrics('server', {
    instances: async () => [instanceOf('a', { appId: 'id-1' }), instanceOf('b', { appId: 'id-1' })],
    router: async () => [countersOf(requests)],
    handleOf: (appId) => (appId === 'id-1' ? 'shop' : appId),
  });
  await metrics.render();
  requests = 9;
  const body = await metrics.render();
  assert.match(body, /^berth_instances\{app="shop",process="web",state="running",berth_process="server"\} 2$/m);
  assert.match(body, /^berth_router_requests_total\{app="shop",berth_process="server"\} 9$/m);
  assert.match(body, /^berth_router_requests_in_flight\{app="shop",berth_process="server"\} 2$/m);
});

test('a source that fails leaves the rest in place', async () => {
  const away = async (): Promise<never> => {
    throw new Error('away');
  };
  const metrics = createPlatformMetrics('server', { instances: away, router: away });
  const body = await metrics.render();
  assert.match(body, /process_resident_memory_bytes/);
  assert.doesNotMatch(body, /^berth_instances\{/m);
});

test('two processes in one program do not share a registry', () => {
  createPlatformMetrics('server');
  createPlatformMetrics('router');
});
