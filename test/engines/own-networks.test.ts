/** The networks of instances and pods without an agent: what is given out, found again and taken away. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LinkTable } from '../../src/engines/common/link-table.ts';
import { probeMachine } from '../../src/engines/process/machine.ts';
import { NetworkBook } from '../../src/engines/process/network/network-book.ts';
import { Networks } from '../../src/engines/process/network/networks.ts';
import { command } from '../support/system-command.ts';
import { until } from '../support/until.ts';

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'berth-networks-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const nobody = { space: () => false, own: () => false };

test('a network is found again by its key, in another agent too, and taken away when nobody needs it', async (t) => {
  const installId = randomBytes(6).toString('hex');
  if (!(await probeMachine(installId, 'auto', false)).network) return t.skip('networks need root');
  const folder = temporaryFolder(t);
  const open = (...blocks: string[]) => {
    const table = new LinkTable(join(folder, 'links.json'));
    const elsewhere = { blocks, interfaces: [] };
    return new Networks({ path: join(folder, 'networks.json'), installId, allowHostPorts: [], elsewhere, table });
  };
  const first = open();
  const [one, again, two] = await Promise.all([
    first.own('one', 'space'),
    first.own('one', 'space'),
    first.own('two', 'space'),
  ]);
  assert.deepEqual(again, one);
  assert.notEqual(two.address, one.address);
  assert.ok(one.interface.length <= 15 && existsSync(`/sys/class/net/${one.interface}`));
  const place = await first.place('space', 'app/store', 6379);
  await first.close({ everything: false });

  const second = open('192.0.2.0/24');
  await second.restore();
  const rules = await command('iptables', '-w', '30', '-S', `bth${installId.slice(0, 6)}-fwd`);
  assert.match(rules, /-d 192\.0\.2\.0\/24 /);
  assert.deepEqual(await second.own('one', 'space'), one);
  assert.deepEqual(await second.place('space', 'app/store', 6379), place);
  await second.pruneNetworks({ space: () => true, own: (key) => key === 'one' });
  assert.ok(!existsSync(`/sys/class/net/${two.interface}`) && existsSync(`/run/netns/${one.namespace}`));
  second.prune(() => false);
  await second.pruneNetworks(nobody);
  assert.ok(!existsSync(`/run/netns/${one.namespace}`));
  const three = await second.own('three', 'space');
  assert.notEqual(three.address, one.address);
  await second.close({ everything: true });
  const left = () => ['/run/netns', '/sys/class/net'].flatMap((path) => readdirSync(path));
  await until('nothing is left', () => !left().some((name) => name.startsWith(`bth${installId.slice(0, 6)}`)));
  const { own, stock, spaces, targets } = JSON.parse(readFileSync(join(folder, 'networks.json'), 'utf8'));
  assert.deepEqual({ own, stock, spaces, targets }, { own: {}, stock: {}, spaces: {}, targets: {} });
});

test('the book keeps addresses apart and remembers them', (t) => {
  const path = join(temporaryFolder(t), 'networks.json');
  const book = new NetworkBook(path, '0123456789ab');
  assert.deepEqual([book.space('a'), book.space('b'), book.space('a')], [0, 1, 0]);
  const place = book.beginStock();
  assert.deepEqual(book.stock('making'), [place]);
  book.readyStock(place);
  book.setOwn('key', 'a', place);
  assert.deepEqual(book.stock('ready'), []);
  const addresses = [book.address(place), book.target('a', 'x'), book.target('b', 'x'), book.ownGateway];
  assert.equal(new Set(addresses).size, 4);
  const reopened = new NetworkBook(path, '0123456789ab');
  assert.equal(reopened.target('b', 'x'), addresses[2]);
  assert.deepEqual(reopened.own.key, { spaceId: 'a', place });
  reopened.pruneTargets((spaceId) => spaceId === 'b');
  reopened.beginStock();
  assert.notEqual(reopened.target('a', 'x'), reopened.target('b', 'x'));
});
