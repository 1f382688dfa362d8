/** Which buildpack builds a source. The order is: the one that BUILDPACK_URL names, installed ones by name, then Berth's own. */
import { BuildFailure } from '../../core/ports/builder.ts';
import type { BuildContext, Buildpack } from './buildpack.ts';
import { nodeBuildpack } from './node.ts';
import { procfileBuildpack } from './procfile-only.ts';
import { pythonBuildpack } from './python.ts';
import { staticSiteBuildpack } from './static-site.ts';

/** A source may show signs of several; the first that fits builds it. */
export const ownBuildpacks: readonly Buildpack[] = [
  nodeBuildpack,
  pythonBuildpack,
  staticSiteBuildpack,
  procfileBuildpack,
];

export interface Choice {
  readonly buildpack: Buildpack;
  /** What it calls the app: `Node.js`. */
  readonly label: string;
}

/** Throws BuildFailure `detect`, saying what would have been recognised, or `unsupported` for a lone Dockerfile. */
export async function chooseBuildpack(context: BuildContext, installed: readonly Buildpack[]): Promise<Choice> {
  for (const buildpack of [...installed, ...ownBuildpacks]) {
    const label = await buildpack.detect(context.tree, context);
    if (label !== null) return { buildpack, label: label === '' ? buildpack.name : label };
  }
  if (await context.tree.hasFile('Dockerfile')) {
    throw new BuildFailure(
      'unsupported',
      'the source has only a Dockerfile; building it needs a pool of the docker engine (BERTH_ENGINE=docker)',
    );
  }
  throw new BuildFailure(
    'detect',
    'no language recognised: add a package.json (Node.js), requirements.txt, pyproject.toml or app.py (Python), ' +
      'index.html or static.json (static site) or a Procfile, or name a buildpack in BUILDPACK_URL',
  );
}
