/** A source that only says how to start it: scripts and programs that need no build. */
import type { Buildpack } from './buildpack.ts';

export const procfileBuildpack: Buildpack = {
  name: 'procfile',
  detect: async (tree) => ((await tree.hasFile('Procfile')) ? 'Procfile' : null),
  build: async () => ({ defaults: {} }),
};
