/** The routes that a platform beside its nodes keeps, in the kernel's own table. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { PlatformRoutes } from '../../src/engines/docker/fleet/platform-routes.ts';
import { RouteTable } from '../../src/engines/docker/fleet/route-table.ts';
import { holds, parseSubnet } from '../../src/engines/docker/network/subnets.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { claimBlock } from '../support/address-block.ts';
import { attempt, command, isInstalled } from '../support/system-command.ts';
import { until } from '../support/until.ts';

const lack = process.getuid?.() !== 0 ? 'routes need root' : isInstalled('ip') ? null : 'not installed: ip';

/** A network of this machine's own with two neighbours that need not be there, and a block of addresses beyond them. */
async function neighbours(t: TestContext) {
  const device = `br${randomBytes(4).toString('hex')}`;
  const [wire, pool] = await Promise.all([claimBlock(240, 250, 24), claimBlock(64, 128, 18)]);
  t.after(async () => {
    await attempt('ip', 'link', 'delete', device);
    await Promise.all([wire.release(), pool.release()]);
  });
  await command('ip', 'link', 'add', device, 'type', 'bridge');
  await command('ip', 'address', 'add', `${wire.prefix}.1/24`, 'dev', device);
  await command('ip', 'link', 'set', device, 'up');
  const beyond = pool.text.split('.').slice(0, 3).join('.');
  const table = new RouteTable(pool.text);
  return {
    pool: pool.text,
    one: `${wire.prefix}.2`,
    other: `${wire.prefix}.3`,
    host: (number: number): string => `${beyond}.${number}`,
    table,
    set: (to: string, via: string) => command('ip', 'route', 'replace', to, 'via', via),
    flush: () => command('ip', 'route', 'flush', 'root', pool.text),
    /** Another server of the same install, too. */
    routes: () => new PlatformRoutes({ addressPool: pool.text, logger: silentLogger }),
    there: async () => Object.fromEntries(await table.read()),
  };
}

test('each instance is led to by its node; what is gone, or is another node’s now, is not', async (t) => {
  if (lack !== null) return t.skip(lack);
  const { pool, one, other, host, routes, there } = await neighbours(t);
  const own = routes();
  await own.lead(one, [host(5), host(6)]);
  await own.lead(other, [host(7)]);
  assert.deepEqual(await there(), { [host(5)]: one, [host(6)]: one, [host(7)]: other });
  await own.lead(other, [host(6), host(7)]);
  await own.lead(one, [host(5)]);
  assert.deepEqual(await there(), { [host(5)]: one, [host(6)]: other, [host(7)]: other });
  own.leadBlock(other);
  await own.tend();
  assert.deepEqual(await there(), { [pool]: other, [host(5)]: one, [host(6)]: other, [host(7)]: other });
  own.keep(new Set([other]));
  await own.tend();
  assert.deepEqual(await there(), { [pool]: other, [host(6)]: other, [host(7)]: other });
  await own.close();
  assert.deepEqual(await there(), {});
});

test('what an earlier server left stays until it is known of its node what runs there, or that it is none', async (t) => {
  if (lack !== null) return t.skip(lack);
  const { one, other, host, set, routes, there } = await neighbours(t);
  for (const [number, via] of [
    [5, one],
    [6, one],
    [7, other],
  ] as const)
    await set(host(number), via);
  const own = routes();
  await own.lead(one, [host(5)]);
  assert.deepEqual(await there(), { [host(5)]: one, [host(7)]: other });
  own.keep(new Set([one]));
  await own.tend();
  assert.deepEqual(await there(), { [host(5)]: one });
});

test('routes that somebody took away, or changed, are set again', async (t) => {
  if (lack !== null) return t.skip(lack);
  const { pool, one, other, host, set, flush, routes, there } = await neighbours(t);
  const own = routes();
  await own.lead(one, [host(5)]);
  own.leadBlock(one);
  const wanted = { [pool]: one, [host(5)]: one };
  const isSo = async (): Promise<boolean> => {
    await own.tend();
    return JSON.stringify(await there()) === JSON.stringify(wanted);
  };
  await until('they are set', isSo);
  await flush();
  await until('they are there again', isSo);
  await set(host(5), other);
  await until('it leads to its node again', isSo);
});

test('a node that is not in the segment is reached by way of the block, and holds up no other', async (t) => {
  if (lack !== null) return t.skip(lack);
  const { pool, one, host, set, routes, there } = await neighbours(t);
  const own = routes();
  // Its address was another node's instance before.
  await set(host(5), one);
  own.leadBlock(one);
  await own.lead('198.51.100.77', [host(5)]);
  await own.lead(one, [host(6)]);
  await own.tend();
  assert.deepEqual(await there(), { [pool]: one, [host(6)]: one });
});

test('nothing but addresses of the block comes before the kernel', async () => {
  const table = new RouteTable('10.64.0.0/10');
  for (const to of ['10.0.0.1', '10.64.0.1/32 via 10.0.0.2\nnetns add x', '', 'default', '0.0.0.0/0', '::1'])
    await assert.rejects(table.set([{ to, via: '10.0.0.2' }]), /no route of/);
  await assert.rejects(table.set([{ to: '10.64.0.1', via: 'x\nlink delete eth0' }]), /no route of/);
  const block = parseSubnet('10.64.0.0/10');
  const within = ['10.64.0.0', '10.127.255.255', '10.63.255.255', '10.128.0.0', '10.64.0', '10.64.0.1\n', 'x'];
  assert.deepEqual(
    within.map((address) => holds(block, address)),
    [true, true, false, false, false, false, false],
  );
});
