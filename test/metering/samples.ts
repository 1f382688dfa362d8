/** An instance and its stats as an engine gives them, with the values that a test cares for. */
import type { EngineInstance, InstanceStats } from '../../src/core/ports/engine.ts';

export const instanceOf = (id: string, rest: Partial<EngineInstance> = {}): EngineInstance => ({
  id,
  kind: 'process',
  appId: 'app',
  processType: 'web',
  generation: 'g1',
  nodeId: 'node',
  state: 'running',
  address: null,
  pid: 1,
  startedAt: null,
  exit: null,
  ...rest,
});

export const statsOf = (rest: Partial<InstanceStats> = {}): InstanceStats => ({
  id: 'web-1',
  at: new Date('2026-01-02T03:00:00Z'),
  memory: { usageBytes: 100, residentBytes: 80, cacheBytes: 20, limitBytes: 1000 },
  cpu: { userSeconds: 1, systemSeconds: 1 },
  pids: 1,
  network: null,
  ...rest,
});
