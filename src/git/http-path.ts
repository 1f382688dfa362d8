/** Which repository and service a URL's path names. Pure. */
import type { GitServiceName } from './git-server.ts';

export interface GitPath {
  /** A handle, `<name>-<space>` or id, as the client wrote it; looked up by the core. */
  readonly app: string;
  /** `info/refs`, or the service that a request is for. */
  readonly what: 'info' | GitServiceName;
}

const pattern = /^(?:\/[^?]*)?\/([a-z0-9][a-z0-9-]{0,127})(?:\.git)?\/(?:(info\/refs)|git-(receive-pack|upload-pack))$/;

/** `…/<app>.git/info/refs` and the two services, below whatever the door is mounted on; null for anything else. */
export function parseGitPath(path: string): GitPath | null {
  const [, app, info, service] = pattern.exec(path) ?? [];
  if (app === undefined) return null;
  if (info !== undefined) return { app, what: 'info' };
  return { app, what: service === 'receive-pack' ? 'receive-pack' : 'upload-pack' };
}

export const parseService = (name: string | null): GitServiceName | null =>
  name === 'git-receive-pack' ? 'receive-pack' : name === 'git-upload-pack' ? 'upload-pack' : null;
