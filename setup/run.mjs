/**
 * What `npm start`, `npm test`, `npm run check`, `bench` and `format` run: brings what is missing (packages, Node 24, programs of the
 * system), then hands over to the part that was asked for. Plain JavaScript that runs on Node 18, since that may be all there is.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runQuietly, runToEnd } from './child.mjs';
import { ensureDependencies } from './dependencies.mjs';
import { chooseNode } from './node.mjs';
import { ensurePostgres } from './postgres.mjs';
import { rootFolder } from './root.mjs';
import { ensurePrograms } from './system.mjs';

const quiet = '--disable-warning=ExperimentalWarning';
/** As `berth up` starts its parts (src/main/compile-cache.ts): code compiled under other flags is not found again. */
const platformFlags = [quiet, '--max-semi-space-size=6'];
const program = join(rootFolder, 'src/main/berth.ts');

/** Each command as what it needs and the arguments for Node 24. */
const commands = {
  start: {
    needsSystem: true,
    argv(rest) {
      const own = rest.filter((argument) => argument !== '--no-sample');
      const sample = own.length === rest.length ? ['--sample'] : [];
      return [...platformFlags, program, 'up', ...sample, ...own];
    },
  },
  test: { needsSystem: true, argv: (rest) => [quiet, join(rootFolder, 'setup/test.mjs'), ...rest] },
  check: { needsSystem: false, argv: (rest) => [quiet, join(rootFolder, 'scripts/check.ts'), ...rest] },
  bench: { needsSystem: true, argv: (rest) => [quiet, join(rootFolder, 'scripts/bench.ts'), ...rest] },
  format: {
    needsSystem: false,
    argv: (rest) => [join(rootFolder, 'node_modules/@biomejs/biome/bin/biome'), 'check', '--write', '.', ...rest],
  },
};

async function main() {
  const [name, ...rest] = process.argv.slice(2);
  const command = Object.hasOwn(commands, name ?? '') ? commands[name] : undefined;
  if (command === undefined) {
    console.error(`usage: node setup/run.mjs ${Object.keys(commands).join('|')} [arguments]`);
    return 2;
  }
  await ensureDependencies();
  const node = chooseNode();
  if (command.needsSystem) {
    await ensurePrograms();
    await ensurePostgres();
  }
  if (name === 'start' && mayMeanDocker(rest)) {
    const code = await runToEnd([node, quiet, join(rootFolder, 'setup/docker.mjs'), ...rest], {
      environment: process.env,
      cwd: process.cwd(),
    });
    if (code !== 0) return code;
  }
  const data = resolve(process.env.BERTH_DATA || '.berth');
  const environment = { ...process.env };
  // Tests bring their own data folders, and a compile cache is only worth having where the same code starts again.
  if (name === 'start') {
    mkdirSync(data, { recursive: true });
    const cache = process.env.NODE_COMPILE_CACHE || join(data, 'cache', 'node');
    environment.NODE_COMPILE_CACHE = cache;
    // In a process of its own, so that the one that stays never loads what strips types.
    if (!existsSync(join(cache, 'warm')))
      await runQuietly([node, ...platformFlags, program, 'warm'], { environment: { NODE_COMPILE_CACHE: cache } });
  }
  return runToEnd([node, ...command.argv(rest)], { environment, cwd: name === 'start' ? process.cwd() : rootFolder });
}

/** Whether it is worth asking the settings for the engine; a plain start is not slowed by it. */
function mayMeanDocker(argv) {
  const { BERTH_ENGINE: engine, BERTH_DOCKER_HOST: host, BERTH_CONFIG: file } = process.env;
  return engine === 'docker' || Boolean(host || file) || argv.some((argument) => /docker|^--config/.test(argument));
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error && error.name === 'SetupError' ? error.message : error);
  process.exitCode = 1;
}
