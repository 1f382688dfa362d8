import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instancesElsewhere } from '../../src/main/docker-settings.ts';

test('the agent keeps its instances from those of the docker engine wherever that is there, and from nothing else', () => {
  const settings = { engine: 'process', dockerHost: '', dockerAddressPool: '10.64.0.0/10' } as const;
  assert.deepEqual(instancesElsewhere(settings), { blocks: [], interfaces: [] });
  const there = { blocks: ['10.64.0.0/10'], interfaces: ['docker_gwbridge'] };
  assert.deepEqual(instancesElsewhere({ ...settings, engine: 'docker' }), there);
  assert.deepEqual(instancesElsewhere({ ...settings, dockerHost: 'unix:///run/other.sock' }), there);
});
