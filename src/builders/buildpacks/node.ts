/** Node.js apps: installs by the lockfile, runs the build script, prunes. An app without dependencies starts no program at all. */
import type { SourceTree } from '../source-tree.ts';
import type { BuildContext, Buildpack, Built } from './buildpack.ts';
import { type NodeManifest, readNodeManifest } from './node-manifest.ts';
import { choosePackageManager, type PackageManager } from './node-package-manager.ts';

/** Scripts that an installation runs by itself: they may need development dependencies. */
const installScripts = ['preinstall', 'install', 'postinstall', 'prepare'];
const buildScripts = ['heroku-postbuild', 'build'];

export const nodeBuildpack: Buildpack = {
  name: 'node',
  detect: async (tree) => ((await tree.hasFile('package.json')) ? 'Node.js' : null),
  build,
};

async function build(context: BuildContext): Promise<Built> {
  const { tree, log } = context;
  const manifest = await readNodeManifest(tree);
  if (manifest === null) return { defaults: {} };
  log.detail(
    `Node.js ${process.version}${manifest.nodeRange === null ? '' : ` (engines.node asks for ${manifest.nodeRange})`}`,
  );

  const has = (names: readonly string[]): string[] => names.filter((name) => manifest.scripts[name] !== undefined);
  const before = has(['heroku-prebuild']);
  // As elsewhere: `heroku-postbuild` is the build script where both are there.
  const after = [...has(buildScripts).slice(0, 1), ...has(['heroku-cleanup'])];
  const installs = manifest.hasDependencies || has(installScripts).length > 0;
  if (!installs && before.length + after.length === 0) {
    log.detail('No dependencies to install');
    return { defaults: await defaultProcesses(tree, manifest) };
  }

  const manager = choosePackageManager(
    new Set(await tree.list()),
    manifest.packageManager,
    context.inside('cache', context.cacheFolder),
  );
  if (await tree.hasFolder('node_modules')) log.warning('node_modules is part of the source; it is better left out');
  await runScripts(context, manager, before);
  if (installs) {
    const withoutDev = before.length + after.length + has(installScripts).length === 0;
    await install(context, manager, withoutDev);
    await runScripts(context, manager, after);
    if (!withoutDev && manifest.hasDevDependencies) await prune(context, manager);
    await tree.writeText('.profile.d/berth-node.sh', 'export PATH="$PWD/node_modules/.bin:$PATH"\n');
  } else {
    await runScripts(context, manager, after);
  }
  return { defaults: await defaultProcesses(tree, manifest) };
}

async function install(context: BuildContext, manager: PackageManager, withoutDev: boolean): Promise<void> {
  context.log.step(`Installing dependencies with ${manager.title}`);
  const forced = { ...manager.environment, NODE_ENV: withoutDev ? 'production' : 'development' };
  await context.job({ step: 'install', title: manager.title, command: manager.install(withoutDev), forced });
}

async function runScripts(context: BuildContext, manager: PackageManager, names: readonly string[]): Promise<void> {
  for (const name of names) {
    context.log.step(`Running script ${name}`);
    await context.job({
      step: `script-${name}`,
      title: `script ${name}`,
      command: manager.script(name),
      environment: { NODE_ENV: 'production' },
      forced: manager.environment,
    });
  }
}

async function prune(context: BuildContext, manager: PackageManager): Promise<void> {
  const command = manager.prune();
  if (command === null) return;
  context.log.step('Pruning development dependencies');
  await context.job({
    step: 'prune',
    title: `${manager.name} prune`,
    command,
    forced: { ...manager.environment, NODE_ENV: 'production' },
  });
}

/** The start script as it stands, so that signals reach the app and not npm; through npm when it leans on npm. */
async function defaultProcesses(tree: SourceTree, { scripts, main }: NodeManifest): Promise<Record<string, string>> {
  const start = scripts.start;
  if (start !== undefined) {
    const leans = scripts.prestart !== undefined || scripts.poststart !== undefined || start.includes('npm_');
    return { web: leans ? 'npm start' : start };
  }
  for (const file of [main, 'server.js', 'index.js']) {
    // Anything else in `main` would have to be quoted for the shell that starts it.
    if (file !== null && /^[\w./@-]+$/.test(file) && !file.startsWith('-') && (await tree.hasFile(file))) {
      return { web: `node ${file}` };
    }
  }
  return {};
}
