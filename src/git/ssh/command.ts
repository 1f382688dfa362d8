/** The only two commands of the SSH door. Pure. */
import type { GitServiceName } from '../git-server.ts';

export interface SshCommand {
  readonly service: GitServiceName;
  readonly app: string;
}

/**
 * Exactly what git sends: `git-receive-pack '<app>.git'`, also with a slash before the app (from `ssh://` addresses) and without `.git`. No
 * other quoting, no options, nothing after it; null for anything else.
 */
export function parseCommand(text: string): SshCommand | null {
  const [, service, quoted, bare] =
    /^git-(receive-pack|upload-pack) (?:'\/?([a-z0-9][a-z0-9-]*(?:\.git)?)'|\/?([a-z0-9][a-z0-9-]*(?:\.git)?))$/.exec(
      text,
    ) ?? [];
  const app = (quoted ?? bare)?.replace(/\.git$/, '');
  if (app === undefined || app.length > 128 || (service !== 'receive-pack' && service !== 'upload-pack')) return null;
  return { service, app };
}
