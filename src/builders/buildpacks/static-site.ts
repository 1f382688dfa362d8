/** Plain files for browsers: ships Berth's own small file server along with them. */
import { readFile } from 'node:fs/promises';
import type { SourceTree } from '../source-tree.ts';
import type { BuildContext, Buildpack, Built } from './buildpack.ts';

const serverFile = '.berth/static-server.ts';

export const staticSiteBuildpack: Buildpack = { name: 'static', detect, build };

async function detect(tree: SourceTree): Promise<string | null> {
  return (await tree.hasFile('static.json')) || (await tree.hasFile('index.html')) ? 'Static site' : null;
}

async function build({ tree, log }: BuildContext): Promise<Built> {
  // Read now, so that a mistake shows in the build and not in the first request.
  const settings = await tree.readJson('static.json');
  const root = typeof settings?.root === 'string' ? settings.root : '.';
  if (!(await tree.hasFolder(root)))
    log.warning(`static.json names the root ${JSON.stringify(root)}, which is no folder`);
  await tree.writeText(
    serverFile,
    await readFile(new URL('../static-server/static-server.ts', import.meta.url), 'utf8'),
  );
  log.detail(`Serving ${root === '.' ? 'the source' : root} with Berth's file server`);
  return { defaults: { web: `exec node ${serverFile} "$PORT"` } };
}
