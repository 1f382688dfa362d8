/** Git push: repositories in the data folder, a door over HTTP and one over SSH, and the sweep that follows deleted apps. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { ControlContext } from '../control/control-context.ts';
import type { Actor } from '../core/access/actor.ts';
import type { Core } from '../core/core.ts';
import { BerthError, unauthenticated } from '../core/errors.ts';
import type { Secret } from '../core/ports/secret.ts';
import { GitProgram } from '../git/git-program.ts';
import { GitServer } from '../git/git-server.ts';
import { createGitHttp } from '../git/http.ts';
import { PushDesk } from '../git/push-desk.ts';
import { Repositories } from '../git/repositories.ts';
import { RepositorySweep } from '../git/repository-sweep.ts';
import type { SshDoorOptions } from '../git/ssh/door.ts';
import { SshServer } from '../git/ssh/ssh-server.ts';
import type { ProcessParts } from './process-parts.ts';
import { tunnelTargetOf } from './tunnel-target.ts';

export interface GitDoors {
  /** Smart HTTP, to be mounted on any path: `<mount>/<app>.git`. */
  readonly http: (request: IncomingMessage, response: ServerResponse) => void;
  close(): Promise<void>;
}

/** A push may have so much history, and the source of a build so many bytes when packed. */
const PUSH_MAX_BYTES = 1024 * 1024 * 1024;
const SOURCE_MAX_BYTES = 512 * 1024 * 1024;

export interface GitDoorsOptions extends ProcessParts {
  readonly core: Core;
  readonly context: ControlContext;
  /** Signs clients in elsewhere by their key, where a dialect has that. */
  readonly loginToken?: SshDoorOptions['loginToken'];
}

/** Opens the SSH port, when it is on; nothing of git or SSH is started or loaded before somebody comes. */
export async function openGitDoors(options: GitDoorsOptions): Promise<GitDoors> {
  const { core, context, folder, settings, logger, ids } = options;
  const git = new GitProgram({
    home: join(folder.git, 'home'),
    hooksFolder: join(import.meta.dirname, 'git-hooks'),
    maxPushBytes: PUSH_MAX_BYTES,
  });
  const repositories = new Repositories(join(folder.git, 'repositories'), git, ids);
  const desk = new PushDesk(folder.gitSocket, ids, logger);
  const server = new GitServer({
    git,
    repositories,
    desk,
    logger,
    pushes: core.pushes,
    blobs: context.blobs,
    appUrl: (handle) => `http://${handle}.${settings.baseDomain}:${settings.routerHttpPort}`,
    maxSourceBytes: SOURCE_MAX_BYTES,
  });
  const sweep = new RepositorySweep(repositories, context.db, logger);
  const http = createGitHttp({ server, logger, authenticate: authenticateBy(core) });
  const ssh = new SshServer({
    host: settings.host,
    port: settings.sshPort,
    keysFolder: folder.sshKeys,
    git: server,
    ids,
    logger,
    actorByKey: (key) => core.authenticator.byKey(key),
    tunnelTarget: tunnelTargetOf(core, settings.allowPrivateSources),
    ...(options.loginToken === undefined ? {} : { loginToken: options.loginToken }),
  });
  await desk.listen();
  try {
    if (settings.ssh) await ssh.listen();
  } catch (error) {
    await desk.close();
    throw error;
  }
  sweep.start();
  return {
    http: (request, response) => void http(request, response),
    async close() {
      sweep.stop();
      await Promise.all([server.close(), ssh.close()]);
      await desk.close();
    },
  };
}

/** A token of any kind as the password, whatever the user name; or the user's name and password. */
function authenticateBy({
  authenticator,
}: Core): (username: string, password: Secret, address: string) => Promise<Actor> {
  return async (username, password, address) => {
    try {
      return await authenticator.byToken(password.reveal());
    } catch (error) {
      if (!(error instanceof BerthError) || error.kind !== 'unauthenticated' || username === '') throw error;
    }
    const user = await authenticator.byPassword(username, password, address);
    const actor = await authenticator.byUser(user.id);
    if (actor === null) throw unauthenticated();
    return actor;
  };
}
