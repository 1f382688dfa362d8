/** What the dialect decides without asking anybody: ids, names, states, histories, redaction. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InstanceView } from '../../../src/core/instances/instance-service.ts';
import type { EngineInstance, InstanceExit } from '../../../src/core/ports/engine.ts';
import type { Release } from '../../../src/core/releases/release.ts';
import { derivedId } from '../../../src/dialects/akkeris/derived-id.ts';
import { dynoName, dynoState } from '../../../src/dialects/akkeris/dyno-shape.ts';
import { logLine } from '../../../src/dialects/akkeris/log-line.ts';
import { redact } from '../../../src/dialects/akkeris/redaction.ts';
import { historyOf } from '../../../src/dialects/akkeris/release-history.ts';

const at = new Date('2026-01-02T03:04:05.678Z');

test('derived ids are those that clients know', () => {
  assert.equal(derivedId('papertrail:basic'), 'c0d522b4-5a6e-958f-aab4-12b1f628594d');
  assert.equal(derivedId('test'), 'a3bf4f1b-2b0b-822c-d15d-6c15b0f00a08');
});

test('a dyno name has ten digits and five letters or digits, and stays', () => {
  const name = dynoName('2effff5e-c606-4939-bfee-f938b55070ce');
  assert.match(name, /^\d{10}-[a-z0-9]{5}$/);
  assert.equal(name, dynoName('2effff5e-c606-4939-bfee-f938b55070ce'));
  assert.notEqual(name, dynoName('2effff5e-c606-4939-bfee-f938b55070cf'));
});

test('a dyno’s state is what really runs', () => {
  const exit: InstanceExit = { code: 1, signal: null, outOfMemory: false, timedOut: false, startError: null, at };
  const actual = (state: EngineInstance['state'], ended: InstanceExit | null = null): EngineInstance => ({
    id: 'i',
    kind: 'process',
    appId: 'a',
    processType: 'web',
    generation: 'g',
    nodeId: 'n',
    state,
    address: null,
    pid: null,
    startedAt: at,
    exit: ended,
  });
  const view = (state: InstanceView['state'], now: EngineInstance | null, failureCode: string | null = null) =>
    dynoState({ state, actual: now, failureCode } as InstanceView);
  assert.equal(view('starting', null), 'waiting');
  assert.equal(view('starting', actual('starting')), 'pending');
  assert.equal(view('starting', actual('running')), 'starting');
  assert.equal(view('ready', actual('running')), 'running');
  assert.equal(view('ready', actual('exited', exit)), 'app-crashed');
  assert.equal(view('crashed', null, 'H10'), 'app-crashed');
  assert.equal(view('crashed', null, 'H20'), 'probe-failure');
  assert.equal(view('crashed', actual('exited', { ...exit, startError: 'no such file' })), 'start-failure');
  assert.equal(view('draining', actual('running')), 'stopping');
  assert.equal(view('draining', null), 'stopped');
});

test('config releases belong to the deploy before them', () => {
  const release = (version: number, kind: Release['kind'], status: Release['status']): Release =>
    ({ id: `r${version}`, version, kind, status }) as Release;
  const history = historyOf([
    release(1, 'deploy', 'succeeded'),
    release(2, 'config', 'failed'),
    release(3, 'deploy', 'superseded'),
    release(4, 'config', 'succeeded'),
    release(5, 'deploy', 'superseded'),
    release(6, 'rollback', 'pending'),
  ]);
  assert.deepEqual(
    history.map(({ release: { id }, version, status, current }) => [id, version, status, current]),
    [
      ['r1', 1, 'succeeded', false],
      ['r3', 2, 'succeeded', true],
      ['r5', 3, 'failed', false],
      ['r6', 4, 'pending', false],
    ],
  );
  assert.ok(history[1]?.ids.has('r4'));
});

test('secrets are hidden by name and within URLs', () => {
  assert.equal(redact('API_KEY', 'x'), '[redacted]');
  assert.equal(redact('my_password', 'x'), '[redacted]');
  assert.equal(
    redact('DATABASE_URL', 'postgres://user:se:cret@host:5432/db'),
    'postgres://user:[redacted]@host:5432/db',
  );
  assert.equal(redact('URL', 'https://h/p?a=1&token=abc&b=2'), 'https://h/p?a=1&token=[redacted]&b=2');
  assert.equal(redact('FOO', 'plain text'), 'plain text');
});

test('a log line is in the form that clients take apart', () => {
  const id = '2effff5e-c606-4939-bfee-f938b55070ce';
  const pattern = /^[\w:+.-]+Z [\w.-]+ [\w./[\]-]+: /;
  const app = logLine({ at, source: 'app', process: 'web', instance: id, seat: '', text: 'hello' }, 'foo-default');
  assert.equal(app, `2026-01-02T03:04:05.678Z foo-default app[web.${dynoName(id)}]: hello\n`);
  const router = logLine(
    { at, source: 'router', process: '', instance: '', seat: '', text: `status=200 dyno=web.${id} host=h` },
    'foo',
  );
  assert.equal(router, `2026-01-02T03:04:05.678Z foo akkeris/router: status=200 dyno=web.${dynoName(id)} host=h\n`);
  for (const line of [app, router]) assert.match(line, pattern);
});
