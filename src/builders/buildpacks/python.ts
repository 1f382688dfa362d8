/** Python apps: a virtual environment when there is something to install, nothing at all when the standard library is enough. */
import type { SourceTree } from '../source-tree.ts';
import type { BuildContext, Buildpack, Built } from './buildpack.ts';

const signs = ['requirements.txt', 'pyproject.toml', 'setup.py', 'app.py', 'main.py', 'manage.py'];
const entryPoints = ['app.py', 'main.py'];
const environmentFolder = '.venv';

export const pythonBuildpack: Buildpack = { name: 'python', detect, build };

async function detect(tree: SourceTree): Promise<string | null> {
  for (const name of signs) if (await tree.hasFile(name)) return 'Python';
  return null;
}

async function build(context: BuildContext): Promise<Built> {
  const { tree, log } = context;
  const wanted = await whatToInstall(tree);
  // Without it the log would show an app's lines only when a buffer is full.
  const profile = ['export PYTHONUNBUFFERED=1'];
  if (wanted === null) {
    log.detail('No requirements to install');
  } else {
    await installInto(context, wanted);
    profile.push(`export VIRTUAL_ENV="$PWD/${environmentFolder}"`, 'export PATH="$VIRTUAL_ENV/bin:$PATH"');
  }
  await tree.writeText('.profile.d/berth-python.sh', `${profile.join('\n')}\n`);
  for (const file of entryPoints) if (await tree.hasFile(file)) return { defaults: { web: `python3 ${file}` } };
  return { defaults: {} };
}

/** Arguments for `pip install`, or null when there is nothing to install. */
async function whatToInstall(tree: SourceTree): Promise<readonly string[] | null> {
  const requirements = await tree.readText('requirements.txt');
  if (requirements !== null) return /^[ \t]*[^#\s]/m.test(requirements) ? ['-r', 'requirements.txt'] : null;
  const project = await tree.readText('pyproject.toml');
  if (project !== null) {
    const asks = /^\s*\[tool\.poetry/m.test(project) || /^\s*(dependencies|dynamic)\s*=\s*\[\s*[^\]\s]/m.test(project);
    return asks ? ['.'] : null;
  }
  return (await tree.hasFile('setup.py')) ? ['.'] : null;
}

async function installInto(context: BuildContext, wanted: readonly string[]): Promise<void> {
  const environment = { PYTHONDONTWRITEBYTECODE: '1', PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_NO_INPUT: '1' };
  const forced = { ...environment, PIP_CACHE_DIR: `${context.inside('cache', context.cacheFolder)}/pip` };
  // One that came with the source was made on another machine.
  await context.tree.remove(environmentFolder);
  context.log.step('Creating a virtual environment');
  const create = ['python3', '-m', 'venv', environmentFolder];
  await context.job({ step: 'venv', title: 'python3 -m venv', command: create, forced });
  context.log.step(`Installing requirements with pip install ${wanted.join(' ')}`);
  const pip = [
    `${environmentFolder}/bin/python3`,
    '-m',
    'pip',
    'install',
    '--no-color',
    '--progress-bar',
    'off',
    ...wanted,
  ];
  await context.job({ step: 'pip', title: 'pip install', command: pip, forced });
}
