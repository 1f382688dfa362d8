import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ArtifactStore } from '../../src/builders/artifacts/artifact-store.ts';
import { systemClock, systemIds } from '../../src/lib/clock.ts';
import { never, temporaryFolder } from './workbench.ts';

type Change = (tree: string) => Promise<void>;

async function makeTree(path: string, change: Change = async () => {}): Promise<string> {
  await mkdir(join(path, 'lib'), { recursive: true });
  await writeFile(join(path, 'lib', 'a.js'), 'a');
  await writeFile(join(path, 'run'), 'run', { mode: 0o755 });
  await symlink('lib/a.js', join(path, 'link'));
  await change(path);
  return path;
}

test('the digest is of what a tree holds, and of nothing else', async (t) => {
  const dataFolder = await temporaryFolder(t);
  const store = new ArtifactStore({ dataFolder, clock: systemClock, ids: systemIds });
  let count = 0;
  const digestOf = async (change?: Change): Promise<string> => {
    const tree = await makeTree(join(dataFolder, `tree-${count++}`), change);
    return (await store.put(tree, { processes: {}, buildpack: 'x' }, never)).digest;
  };
  const digest = await digestOf();
  const same: Change[] = [
    (tree) => utimes(join(tree, 'run'), 1, 1),
    (tree) => chmod(join(tree, 'lib', 'a.js'), 0o400),
    (tree) => chmod(join(tree, 'lib'), 0o700),
    (tree) => chmod(join(tree, 'run'), 0o4711),
  ];
  for (const change of same) assert.equal(await digestOf(change), digest);
  const different: Change[] = [
    (tree) => writeFile(join(tree, 'run'), 'ran'),
    (tree) => chmod(join(tree, 'run'), 0o644),
    (tree) => mkdir(join(tree, 'empty')).then(() => {}),
    (tree) => symlink('lib', join(tree, 'other')),
    (tree) => writeFile(join(tree, 'lib', 'b.js'), ''),
  ];
  const digests = new Set([digest]);
  for (const change of different) digests.add(await digestOf(change));
  assert.equal(digests.size, different.length + 1);
  const folders = await readdir(join(dataFolder, 'artifacts'));
  assert.equal(folders.length, digests.size, 'nothing half made, nothing twice');
  const tree = join(dataFolder, 'artifacts', digest.slice(7), 'tree');
  const modes = await Promise.all(
    ['', 'lib', 'lib/a.js', 'run'].map(async (path) => (await stat(join(tree, path))).mode & 0o7777),
  );
  assert.deepEqual(modes, [0o755, 0o755, 0o644, 0o755]);
  assert.equal((await stat(join(dataFolder, 'artifacts'))).mode & 0o777, 0o700);
  assert.equal((await store.get(digest))?.sizeBytes, 4);
});

test('the same content stored at once by many is stored once', async (t) => {
  const dataFolder = await temporaryFolder(t);
  const store = new ArtifactStore({ dataFolder, clock: systemClock, ids: systemIds });
  const trees = await Promise.all(Array.from({ length: 8 }, (_, at) => makeTree(join(dataFolder, `tree-${at}`))));
  const put = (tree: string) => store.put(tree, { processes: { web: 'x' }, buildpack: 'x' }, never);
  const digests = new Set((await Promise.all(trees.map(put))).map(({ digest }) => digest));
  assert.equal(digests.size, 1);
  assert.equal((await readdir(join(dataFolder, 'artifacts'))).length, 1);
});
