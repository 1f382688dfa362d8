/** `berth up`: the whole platform on one machine. Starts and watches the parts, says what it does, and ends what it started. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { BerthError } from '../core/errors.ts';
import { startEmbeddedPostgres } from '../store/embedded/start.ts';
import { superviseAddonServer } from './addon-server.ts';
import { checkAddonSettings } from './addon-settings.ts';
import { checkAdminSettings } from './admin-settings.ts';
import { SupervisedChild } from './child.ts';
import { compileCacheOf, nodeFlags, warmCompileCache } from './compile-cache.ts';
import { openEngines } from './engine.ts';
import { untilHealthy } from './health.ts';
import { untilEnd } from './lifetime.ts';
import { type ProcessParts, processParts } from './process-parts.ts';
import { Progress } from './progress.ts';
import { type Settings, settingsEnvironment } from './settings.ts';
import { stopDockerInstances } from './stop-docker.ts';

const STOP_PATIENCE_MS = 60_000;
const DATABASE_CHECK_MS = 1_000;

export async function upCommand(settings: Settings, sample: boolean): Promise<number> {
  checkAdminSettings(settings);
  checkAddonSettings(settings);
  const parts = await processParts('berth', settings);
  const ended = untilEnd(false);
  const abort = new AbortController();
  void ended.then(() => abort.abort(new Error('interrupted')));
  await claim(parts);
  const progress = new Progress(process.stdout);
  const environment = childEnvironment(settings);
  const [database] = await Promise.all([
    startDatabase(parts, progress),
    warmCompileCache(environment.NODE_COMPILE_CACHE),
  ]);
  const addonServer = superviseAddonServer(settings, parts.logger);
  const children = startChildren(environment, parts);
  let code = 0;
  try {
    await progress.step('platform', (say) =>
      untilHealthy(`http://${shownHost(settings.host)}:${settings.port}/healthz`, say, abort.signal),
    );
    await announce(settings, parts, progress, sample, abort.signal);
    await ended;
  } catch (error) {
    if (!abort.signal.aborted) {
      progress.say(error instanceof Error ? error.message : String(error));
      code = 1;
    }
  }
  await progress.step('stopping', async () => {
    await children.server.stop('SIGTERM', STOP_PATIENCE_MS);
    await Promise.all([
      children.agent.stop('SIGINT', STOP_PATIENCE_MS),
      children.router.stop('SIGTERM', STOP_PATIENCE_MS),
      stopDockerInstances(parts),
    ]);
    await addonServer.stop();
    await database.stop();
  });
  await rm(parts.folder.up, { force: true });
  await parts.logs.close();
  return code;
}

/** One `berth up` a data folder. A file left by one that was killed is no obstacle. */
async function claim({ folder }: ProcessParts): Promise<void> {
  const known = Number(await readFile(folder.up, 'utf8').catch(() => ''));
  if (known > 0 && known !== process.pid && (await isBerth(known))) {
    throw new BerthError(
      'conflict',
      `berth already runs on ${folder.root} (process ${known}); stop it first, or choose another BERTH_DATA and BERTH_PORT`,
    );
  }
  await writeFile(folder.up, `${process.pid}\n`);
}

async function isBerth(pid: number): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return command.includes('berth.ts\0up');
}

async function startDatabase(parts: ProcessParts, progress: Progress): Promise<{ stop(): Promise<void> }> {
  const { settings, logger } = parts;
  if (settings.databaseUrl !== null) return { stop: async () => {} };
  const options = { dataFolder: settings.data, logger };
  let server = await progress.step('database', () => startEmbeddedPostgres(options));
  let stopped = false;
  const watch = (async () => {
    while (!stopped) {
      await wait(DATABASE_CHECK_MS);
      if (stopped || (await server.isAlive())) continue;
      logger.warn({}, 'the embedded database ended and is started again');
      server = await startEmbeddedPostgres(options).catch((error: unknown) => {
        logger.error({ err: error }, 'the embedded database could not be started; it is tried again');
        return server;
      });
    }
  })();
  return {
    async stop(): Promise<void> {
      stopped = true;
      await watch;
      await server.stop();
    },
  };
}

function childEnvironment(settings: Settings): Record<string, string> & { readonly NODE_COMPILE_CACHE: string } {
  const passed = Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !entry[0].startsWith('BERTH_'),
    ),
  );
  return { NODE_COMPILE_CACHE: compileCacheOf(settings.data), ...passed, ...settingsEnvironment(settings) };
}

function startChildren(
  environment: Readonly<Record<string, string>>,
  { logger }: ProcessParts,
): { server: SupervisedChild; router: SupervisedChild; agent: SupervisedChild } {
  const script = join(import.meta.dirname, 'berth.ts');
  const child = (name: 'server' | 'router' | 'agent'): SupervisedChild => {
    const supervised = new SupervisedChild({
      name,
      argv: [process.execPath, ...nodeFlags, script, name, '--supervised'],
      environment,
      logger,
    });
    supervised.start();
    return supervised;
  };
  return { agent: child('agent'), router: child('router'), server: child('server') };
}

const shownHost = (host: string): string =>
  host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;

async function announce(
  settings: Settings,
  parts: ProcessParts,
  progress: Progress,
  sample: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { folder } = parts;
  const host = shownHost(settings.host);
  if (sample) {
    const { deploySample } = await import('./sample.ts');
    const { token } = JSON.parse(await readFile(folder.admin, 'utf8')) as { token: string };
    await progress.step('sample app', (say) =>
      deploySample({
        apiUrl: `http://${host}:${settings.port + 2}`,
        token,
        routerUrl: `http://${host}:${settings.routerHttpPort}`,
        host: `hello.${settings.baseDomain}`,
        say,
        signal,
      }),
    );
  }
  progress.say('');
  if (sample) progress.say(`  sample app   http://hello.${settings.baseDomain}:${settings.routerHttpPort}`);
  progress.say(`  dashboard    http://${host}:${settings.port}`);
  for (const [offset, name, label] of apis)
    progress.say(
      `  ${name.padEnd(12)} http://${host}:${settings.port + offset}   (or http://${label}.${settings.baseDomain}:${settings.port})`,
    );
  progress.say(
    `  router       http://${host}:${settings.routerHttpPort}   an app answers at http://<app>.${settings.baseDomain}:${settings.routerHttpPort}`,
  );
  progress.say(`  git push     ${gitAddress(settings, host)}`);
  progress.say(`  isolation    ${await isolationInForce(parts)}`);
  progress.say(`  credentials  ${folder.admin}`);
  progress.say('');
  progress.say('Berth is up. Ctrl-C stops it and all it started.');
}

/** What the dialects are called, by their distance from BERTH_PORT, and below the base domain. */
const apis = [
  [1, 'Giant Swarm', 'giantswarm'],
  [2, 'Akkeris', 'akkeris'],
  [4, 'Scalingo', 'scalingo'],
] as const;

/** Where an app is pushed to: by SSH with a key of one's account, or by HTTP with a token as the password. */
function gitAddress({ ssh, sshPort, port }: Settings, host: string): string {
  const http = `http://${host}:${port}/git/<app>.git`;
  return ssh ? `ssh://git@${host}:${sshPort}/<app>.git   (or ${http})` : http;
}

/** What keeps apps apart on this machine, and what does not, in one line. */
async function isolationInForce(parts: ProcessParts): Promise<string> {
  const engines = await openEngines(parts, { carriesOutput: false, db: null });
  try {
    const { isolation } = await engines.engine.describe();
    const inForce = isolation.filter((item) => item.inForce).map((item) => item.what);
    const missing = isolation.filter((item) => !item.inForce).map((item) => `${item.what} (${item.how})`);
    return `${inForce.join(', ') || 'none'}${missing.length === 0 ? '' : `; not in force: ${missing.join(', ')}`}`;
  } finally {
    await engines.close();
  }
}
