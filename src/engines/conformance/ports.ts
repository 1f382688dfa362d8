/** Numbered ports, and pods: instances with a network of their own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../core/ports/secret.ts';
import { answer, ask, type Current, inForce, specFor, untilState } from './harness.ts';

const elsewhere = 'optional: no networks of their own here';

export function portTests(current: Current): void {
  test('the first of its numbered ports is its address', async () => {
    const harness = current();
    const spec = specFor(harness, 'serve.js', [], { ports: [8080, 9090] });
    await harness.engine.start(spec);
    const { address } = await untilState(harness.engine, spec.id, 'running');
    assert.ok(address);
    if (await inForce(harness, 'network')) assert.equal(address.port, 8080);
    await answer(address);
    await harness.engine.remove(spec.id);
  });

  test('instances of one process listen on the same number, below 1024 too, and all answer', async (t) => {
    const harness = current();
    if (!(await inForce(harness, 'network'))) return t.skip(elsewhere);
    const specs = ['one', 'two', 'three'].map((text) =>
      specFor(harness, 'serve.js', [], { ports: [80], environment: { MESSAGE: new Secret(text) } }),
    );
    await Promise.all(specs.map((spec) => harness.engine.start(spec)));
    for (const spec of specs) {
      const { address } = await untilState(harness.engine, spec.id, 'running');
      assert.equal(address?.port, 80);
      assert.equal(await answer(address), spec.environment.MESSAGE?.reveal());
    }
    const [stats] = await harness.engine.stats([specs[0]?.id ?? '']);
    assert.ok((stats?.network?.receivedBytes ?? 0) > 100 && (stats?.network?.sentBytes ?? 0) > 100);
    await Promise.all(specs.map(({ id }) => harness.engine.remove(id)));
  });

  test('instances with numbered ports reach their space and no other, at every port', async (t) => {
    const harness = current();
    if (!(await inForce(harness, 'network'))) return t.skip(elsewhere);
    const near = specFor(harness, 'serve.js', [], { ports: [80] });
    const given = specFor(harness, 'serve.js');
    const far = specFor(harness, 'serve.js', [], { ports: [80], spaceId: 'another-space' });
    const all = [near, given, far];
    await Promise.all(all.map((spec) => harness.engine.start(spec)));
    const urls: string[] = [];
    for (const spec of all) {
      const { address } = await untilState(harness.engine, spec.id, 'running');
      await answer(address);
      urls.push(`http://${address?.host}:${address?.port}/`);
    }
    assert.deepEqual(await ask(harness, near, urls), ['hello', 'hello', 'shut']);
    assert.deepEqual(await ask(harness, given, urls), ['hello', 'hello', 'shut']);
    assert.deepEqual(await ask(harness, far, urls), ['shut', 'shut', 'hello']);
    await Promise.all(all.map(({ id }) => harness.engine.remove(id)));
  });

  test('members of a pod reach each other at localhost; two pods use the same numbers', async (t) => {
    const harness = current();
    if (!(await inForce(harness, 'network'))) return t.skip(elsewhere);
    const pods = [harness.id(), harness.id()];
    const members = pods.map((pod) => [
      specFor(harness, 'serve.js', [], { pod, ports: [8001], environment: { MESSAGE: new Secret(`web ${pod}`) } }),
      specFor(harness, 'serve.js', [], {
        pod,
        ports: [8002],
        environment: { MESSAGE: new Secret(`side ${pod}`) },
        links: [{ name: 'web', target: null, port: 8001 }],
      }),
    ]);
    await Promise.all(members.flat().map((spec) => harness.engine.start(spec)));
    for (const [index, pod] of pods.entries()) {
      const [web, side] = members[index] ?? [];
      assert.ok(web && side);
      const addresses = [];
      for (const spec of [web, side]) {
        const { address } = await untilState(harness.engine, spec.id, 'running');
        await answer(address);
        addresses.push(address);
      }
      assert.equal(addresses[0]?.host, addresses[1]?.host);
      const urls = ['http://localhost:8001/', 'http://web:8001/', 'WEB_PORT_8001_TCP', 'http://127.0.0.1:8002/'];
      const web8001 = `web ${pod}`;
      assert.deepEqual(await ask(harness, side, urls), [web8001, web8001, web8001, `side ${pod}`]);
      assert.equal((await harness.engine.stats([web.id]))[0]?.network, null);
    }
    await Promise.all(members.flat().map(({ id }) => harness.engine.remove(id)));
  });
}
