import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeMountPoint, mountRefusal } from '../../src/engines/common/mount-points.ts';

test('paths that hide the system, or lie in each other, are refused', () => {
  const fine = ['/data', '/app', '/app/data', '/var/lib/db', '/home/app', '/tmp/x', '/library', '/opt/other', '/root'];
  for (const path of fine) assert.equal(mountRefusal([path]), null, path);
  const system = ['/usr', '/usr/local', '/bin', '/sbin/x', '/lib', '/lib64', '/proc/1', '/dev', '/etc/ssl', '/sys'];
  const odd = ['/', '', 'data', './data', '/a/../etc', '/a/./b', '//etc', '/a/', '/a\0', '/opt', '/opt/berth/node'];
  for (const path of [...system, ...odd]) assert.match(mountRefusal([path]) ?? '', /volume/, path);
  assert.equal(mountRefusal(['/a', '/ab', '/b/c']), null);
  assert.match(mountRefusal(['/a', '/a/b']) ?? '', /inside another/);
  assert.match(mountRefusal(['/a/b', '/a']) ?? '', /inside another/);
  assert.match(mountRefusal(['/a', '/a']) ?? '', /inside another/);
});

test('a mount point in the working copy is made, never through a link', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-mounts-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const app = join(folder, 'app');
  mkdirSync(join(app, 'there'), { recursive: true });
  makeMountPoint(app, '/app/there/new/data', null);
  assert.ok(existsSync(join(app, 'there/new/data')));
  symlinkSync(folder, join(app, 'way-out'));
  writeFileSync(join(app, 'file'), '');
  for (const path of ['/app/way-out/made', '/app/way-out', '/app/file', '/app/file/x']) {
    assert.throws(() => makeMountPoint(app, path, null), /in the way/, path);
  }
  assert.ok(!existsSync(join(folder, 'made')));
});
