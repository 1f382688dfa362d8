/**
 * The classic buildpack contract, for any language: `bin/detect <build>`, `bin/compile <build> <cache> <env>`, `bin/release <build>`.
 * The buildpack itself is shown read-only; everything of it runs in the sandbox.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildFailure } from '../../core/ports/builder.ts';
import { SourceTree } from '../source-tree.ts';
import type { BuildContext, Buildpack, Built, JobRequest } from './buildpack.ts';
import { parseReleaseYaml } from './release-yaml.ts';

/** Fixed text: the file, the program and its arguments arrive as positional parameters, so nothing is pasted into it. */
const captureScript = 'out=$1; shift; exec "$@" > "$out"';

/** A buildpack that lies unpacked in `folder` of the host. `name` is its stable word. */
export function classicBuildpack(name: string, folder: string): Buildpack {
  const files = new SourceTree(folder);
  const shownTo = (context: BuildContext) => {
    const inside = context.inside('buildpack', folder);
    return { inside, binding: { host: folder, inside, writable: false } };
  };
  const appOf = (context: BuildContext): string => context.inside('app', context.tree.path);

  /** Runs one of its programs and gives what it printed; null when it fails or is not there. */
  async function ask(context: BuildContext, program: 'detect' | 'release'): Promise<string | null> {
    if (!(await files.hasFile(`bin/${program}`))) return null;
    const output = join(context.scratchFolder, `${program}-${name}`);
    await mkdir(output, { recursive: true, mode: 0o755 });
    const { inside, binding } = shownTo(context);
    const seen = context.inside('output', output);
    const code = await context.job({
      step: `${program}-${name}`,
      title: `bin/${program}`,
      command: ['/bin/sh', '-c', captureScript, 'sh', `${seen}/text`, `${inside}/bin/${program}`, appOf(context)],
      folders: [binding, { host: output, inside: seen, writable: true }],
      mayFail: true,
    });
    return code === 0 ? ((await new SourceTree(output).readText('text')) ?? '') : null;
  }

  async function build(context: BuildContext): Promise<Built> {
    if (!(await files.hasFile('bin/compile'))) {
      throw new BuildFailure('detect', `the buildpack ${name} has no bin/compile`);
    }
    const { inside, binding } = shownTo(context);
    const env = await context.writeEnvironmentFolder();
    const cache = context.inside('cache', context.cacheFolder);
    const compile: JobRequest = {
      step: `compile-${name}`,
      title: `the buildpack's bin/compile`,
      command: [`${inside}/bin/compile`, appOf(context), cache, context.inside('env', env)],
      folders: [binding, { host: env, inside: context.inside('env', env), writable: false }],
    };
    await context.job(compile);
    return { defaults: parseReleaseYaml((await ask(context, 'release')) ?? '') };
  }

  return {
    name,
    detect: async (_tree, context) => (await ask(context, 'detect'))?.trim().split('\n')[0] ?? null,
    build,
  };
}
