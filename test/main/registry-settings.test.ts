import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { registryRules } from '../../src/main/registry-settings.ts';
import { readSettings } from '../../src/main/settings.ts';

const rulesOf = (environment: Record<string, string>) => registryRules(readSettings([], environment).settings, null);

test('registries of the settings: which may be anywhere, and which is the platform’s own', async () => {
  const none = rulesOf({});
  assert.deepEqual([none.allow, none.allowPrivate, none.own], [[], false, null]);
  assert.deepEqual(await none.credentials('app', 'docker://x/y@sha256:0'), []);
  const rules = rulesOf({
    BERTH_DOCKER_REGISTRIES: 'Reg.Example.org:5000,10.0.0.1,index.docker.io',
    BERTH_DOCKER_REGISTRY: 'own.example.org:443/berth/images',
    BERTH_DOCKER_REGISTRY_USERNAME: 'robot',
    BERTH_DOCKER_REGISTRY_PASSWORD: 'never shown',
    BERTH_ALLOW_PRIVATE_SOURCES: 'true',
  });
  assert.deepEqual([rules.allow, rules.allowPrivate], [['reg.example.org:5000', '10.0.0.1', 'docker.io'], true]);
  assert.deepEqual([rules.own?.host, rules.own?.prefix], ['own.example.org:443', 'berth/images']);
  assert.equal(rules.own?.credentials?.username, 'robot');
  assert.equal(rules.own?.credentials?.password.reveal(), 'never shown');
  assert.doesNotMatch(inspect(rules, { depth: 9 }), /never shown/);
  assert.equal(rulesOf({ BERTH_DOCKER_REGISTRY: 'own.example.org' }).own?.prefix, '');
});

test('settings of registries that cannot be meant name themselves', () => {
  for (const environment of [
    { BERTH_DOCKER_REGISTRY: 'https://own.example.org' },
    { BERTH_DOCKER_REGISTRY: 'own.example.org/' },
    { BERTH_DOCKER_REGISTRY: 'own.example.org/Berth' },
    { BERTH_DOCKER_REGISTRIES: 'reg.example.org/team' },
    { BERTH_DOCKER_REGISTRIES: 'reg.example.org, other.example.org' },
    { BERTH_DOCKER_REGISTRY_PASSWORD: 'x' },
    { BERTH_DOCKER_REGISTRY_USERNAME: 'x' },
  ])
    assert.throws(() => rulesOf(environment), { kind: 'invalid', message: /^BERTH_DOCKER_REGISTR/ });
});
