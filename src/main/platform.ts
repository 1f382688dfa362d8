/** The server's composition root: every room is wired here and nowhere else. */
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { createBlobFolder } from '../builders/blob-folder.ts';
import { createBuilder } from '../builders/builder.ts';
import type { ControlContext } from '../control/control-context.ts';
import { Controllers } from '../control/controllers.ts';
import { createCore } from '../core/core.ts';
import { sshLogin } from '../dialects/scalingo/ssh-login.ts';
import { createDialer } from '../lib/dialer.ts';
import { passwordHasher } from '../lib/password.ts';
import { createRouterClient } from '../router/router-client.ts';
import { checkAddonSettings } from './addon-settings.ts';
import { openAddons } from './addons.ts';
import { checkAdminSettings } from './admin-settings.ts';
import { connectDatabase } from './database.ts';
import { homeNodeOf } from './docker-settings.ts';
import { openEngines } from './engine.ts';
import { firstBoot } from './first-boot.ts';
import { openGitDoors } from './git-doors.ts';
import { createMetering } from './metering.ts';
import type { ProcessParts } from './process-parts.ts';
import { registrySignIn } from './registry-sign-in.ts';
import { secretBox } from './secret-key.ts';
import { serve } from './serve.ts';

export interface Platform {
  close(): Promise<void>;
}

export async function startServer(parts: ProcessParts): Promise<Platform> {
  const { settings, folder, logger, logs, clock, ids } = parts;
  checkAdminSettings(settings);
  checkAddonSettings(settings);
  const box = await secretBox(settings, folder);
  const db = await connectDatabase(settings, box, logger);
  const engines = await openEngines(parts, { carriesOutput: true, db });
  const { engine, sandbox } = engines;
  const router = createRouterClient({ socketPath: folder.routerSocket });
  const dialer = createDialer({ allowPrivate: settings.allowPrivateSources, allow: [] });
  const builder = createBuilder({
    dataFolder: folder.root,
    sandbox,
    logs,
    dialer,
    clock,
    ids,
    logger,
    digestOf: (text) => box.digest(text),
    ownFileSystem: () => engines.hasOwnFileSystem(),
    images: engines.images,
    credentials: (appId, host) => registrySignIn(db, appId, host),
  });
  const addons = openAddons({ settings, logger, engine, dialer });
  const context: ControlContext = {
    db,
    clock,
    ids,
    box,
    engine,
    sandbox,
    router,
    builder,
    images: engines.images,
    logs,
    blobs: createBlobFolder({ dataFolder: folder.root, clock, ids }),
    addonProviders: addons.providers,
    logger,
    homeNode: homeNodeOf(settings),
    holder: await serverId(folder.holder),
    limits: {
      bootTimeoutMs: settings.bootTimeoutSeconds * 1_000,
      drainTimeoutMs: settings.drainTimeoutSeconds * 1_000,
      graceMs: settings.graceSeconds * 1_000,
      settleMs: 1_000,
      buildsAtOnce: settings.buildsAtOnce,
      resyncMs: 10_000,
      addonWatchMs: 60_000,
    },
  };
  const metering = createMetering({ engine, clock, logger });
  const core = createCore({
    ...context,
    metrics: metering.store,
    passwords: passwordHasher,
    baseDomain: settings.baseDomain,
    defaultQuotas: { apps: settings.appsQuota, instances: settings.instancesQuota },
  });
  if (await firstBoot(context, core, settings, folder.admin))
    logger.info({ file: folder.admin }, 'first boot: the administrator was made');
  const controllers = new Controllers(context, settings.baseDomain);
  const git = await openGitDoors({ ...parts, core, context, loginToken: sshLogin({ core, box, clock, ids }) });
  const server = await serve({
    ...parts,
    core,
    context,
    controllers,
    git,
  });
  await controllers.start();
  metering.start();
  return {
    async close(): Promise<void> {
      await Promise.all([git.close(), server.close()]);
      await controllers.stop();
      await metering.stop();
      await Promise.all([addons.close(), engines.close(), router.close(), dialer.close(), db.close()]);
      await logs.close();
    },
  };
}

/** A name that stays over restarts, so that a restarted server takes its own leases up again at once. */
async function serverId(file: string): Promise<string> {
  const known = await readFile(file, 'utf8').catch(() => null);
  if (known !== null && known.trim() !== '') return known.trim();
  const made = randomBytes(8).toString('hex');
  await writeFile(file, `${made}\n`, { mode: 0o600 });
  return made;
}
