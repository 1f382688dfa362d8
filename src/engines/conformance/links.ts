/** A link leads to its target whatever the target's instances do, and only within the space. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InstanceSpec } from '../../core/ports/engine.ts';
import { Secret } from '../../core/ports/secret.ts';
import { answer, ask, type ConformanceHarness, type Current, inForce, specFor, until, untilState } from './harness.ts';

const port = 6379;
const variable = `MY_STORE_PORT_${port}_TCP`;

/** A server that answers with its text, and where it is. */
async function backend(harness: ConformanceHarness, text: string, change: Partial<InstanceSpec> = {}) {
  const spec = specFor(harness, 'serve.js', [], { environment: { MESSAGE: new Secret(text) }, ...change });
  await harness.engine.start(spec);
  const { address } = await untilState(harness.engine, spec.id, 'running');
  assert.ok(address);
  await answer(address);
  return { spec, address };
}

export function linkTests(current: Current): void {
  test('a link’s variables hold while its target is replaced and scaled; without a backend it refuses', async (t) => {
    const harness = current();
    if (!harness.real) return t.skip('optional: nothing connects here');
    const target = harness.id();
    const links = [{ name: 'my-store', target, port }];
    const caller = specFor(harness, 'say.js', ['here'], { links });
    await harness.engine.start(caller);
    await untilState(harness.engine, caller.id, 'running');
    const route = (...backends: { readonly host: string; readonly port: number }[]) =>
      harness.engine.routeLinks([{ target, spaceId: caller.spaceId, port, backends }]);
    assert.deepEqual(await ask(harness, caller, [variable]), ['refused']);
    const one = await backend(harness, 'one', { ports: [port] });
    await route(one.address);
    assert.deepEqual(await ask(harness, caller, [variable]), ['one']);
    const two = await backend(harness, 'two');
    await route(two.address);
    assert.deepEqual(await ask(harness, caller, [variable, variable]), ['two', 'two']);
    await route(one.address, two.address);
    const seen = await until('both to answer', async () => {
      const found = new Set(
        await ask(
          harness,
          caller,
          Array.from({ length: 10 }, () => variable),
        ),
      );
      return found.size > 1 ? found : undefined;
    });
    assert.deepEqual([...seen].sort(), ['one', 'two']);
    await route();
    assert.deepEqual(await ask(harness, caller, [variable]), ['refused']);
    await harness.engine.routeLinks([]);
    await Promise.all([caller, one.spec, two.spec].map(({ id }) => harness.engine.remove(id)));
  });

  test('an open connection over a link outlives the backend’s place in the table', async (t) => {
    const harness = current();
    if (!harness.real) return t.skip('optional: nothing connects here');
    const target = harness.id();
    const { spec, address } = await backend(harness, 'kept');
    const caller = specFor(harness, 'say.js', ['here'], { links: [{ name: 'my-store', target, port }] });
    await harness.engine.routeLinks([{ target, spaceId: caller.spaceId, port, backends: [address] }]);
    await harness.engine.start(caller);
    const session = await harness.engine.exec(caller.id, { command: ['node', 'keep.js', variable] });
    let text = '';
    session.stdout.on('data', (bytes: Buffer) => {
      text += bytes.toString();
    });
    await until('the first answer', () => text === 'kept\n');
    await harness.engine.routeLinks([]);
    assert.deepEqual(await ask(harness, caller, [variable]), ['refused']);
    session.stdin.write('again\n');
    await until('the second answer', () => text === 'kept\nkept\n');
    session.stdin.end();
    assert.equal((await session.exit).code, 0);
    await Promise.all([caller, spec].map(({ id }) => harness.engine.remove(id)));
  });

  test('a link’s host name leads there from shared and own networks, and to the asker itself', async (t) => {
    const harness = current();
    if (!(await inForce(harness, 'network'))) return t.skip('optional: no networks here');
    const target = harness.id();
    const links = [{ name: 'my-store', target, port }];
    for (const ports of ['any', [port]] as const) {
      const self = await backend(harness, 'self', { ports, links });
      await harness.engine.routeLinks([{ target, spaceId: self.spec.spaceId, port, backends: [self.address] }]);
      const callers = (['any', [80]] as const).map((of) => specFor(harness, 'say.js', ['here'], { links, ports: of }));
      await Promise.all(callers.map((caller) => harness.engine.start(caller)));
      for (const spec of [self.spec, ...callers]) {
        await untilState(harness.engine, spec.id, 'running');
        assert.deepEqual(await ask(harness, spec, [`http://my-store:${port}/`]), ['self']);
      }
      await Promise.all([self.spec, ...callers].map(({ id }) => harness.engine.remove(id)));
    }
    await harness.engine.routeLinks([]);
  });

  test('another space does not reach a link, by its name or by its address', async (t) => {
    const harness = current();
    if (!(await inForce(harness, 'network'))) return t.skip('optional: no networks here');
    const target = harness.id();
    const links = [{ name: 'my-store', target, port }];
    const { spec, address } = await backend(harness, 'secret', { ports: [port] });
    await harness.engine.routeLinks([{ target, spaceId: spec.spaceId, port, backends: [address] }]);
    const near = specFor(harness, 'say.js', ['here'], { links });
    const far = (['any', [80]] as const).map((ports) =>
      specFor(harness, 'say.js', ['here'], { links, ports, spaceId: 'another-space' }),
    );
    await Promise.all([near, ...far].map((each) => harness.engine.start(each)));
    await untilState(harness.engine, near.id, 'running');
    const [where] = await ask(harness, near, [`=${variable}`]);
    assert.deepEqual(await ask(harness, near, [`${where}`]), ['secret']);
    for (const each of far) {
      await untilState(harness.engine, each.id, 'running');
      assert.deepEqual(await ask(harness, each, [variable, `${where}`, `http://my-store:${port}/`]), [
        'refused',
        'shut',
        'refused',
      ]);
    }
    await harness.engine.routeLinks([]);
    await Promise.all([spec, near, ...far].map(({ id }) => harness.engine.remove(id)));
  });

  test('the app’s own environment wins over a link’s variables; the host has a name', async (t) => {
    const harness = current();
    if (!harness.real) return t.skip('optional: nothing runs here');
    const environment = { [variable]: new Secret('tcp://mine:1') };
    const links = [{ name: 'my-store', target: harness.id(), port }];
    const spec = specFor(harness, 'say.js', ['here'], { links, environment });
    await harness.engine.start(spec);
    await untilState(harness.engine, spec.id, 'running');
    assert.deepEqual(await ask(harness, spec, [`=${variable}`, '=MY_STORE_NAME']), [
      'tcp://mine:1',
      '/conformance/my-store',
    ]);
    if (await inForce(harness, 'files')) {
      assert.match((await ask(harness, spec, ['@host.berth.internal']))[0] ?? '', /^[\d.]+$/);
    }
    await harness.engine.remove(spec.id);
  });
}
