/** The absolute URLs that answers give to clients. `baseUrl` is the call's. */
import { shortId } from '../../core/names.ts';
import { socketUrl } from './base-url.ts';
import type { ScalingoSettings } from './settings.ts';

export const appUrlOf = (baseUrl: string, name: string): string => `${baseUrl}/v1/apps/${name}`;

export const operationUrl = (baseUrl: string, name: string, operationId: string): string =>
  `${appUrlOf(baseUrl, name)}/operations/${shortId(operationId)}`;

/** A WebSocket that tells how the app's deployments go. */
export const deploymentsStreamUrl = (baseUrl: string, name: string): string =>
  `${socketUrl(appUrlOf(baseUrl, name))}/deployments/stream`;

/** What `git push` takes. The short form has no place for a port. */
export function gitUrl({ sshAddress }: Pick<ScalingoSettings, 'sshAddress'>, name: string): string {
  const standard = /^(.*):22$/.exec(sshAddress);
  return standard === null ? `ssh://git@${sshAddress}/${name}.git` : `git@${standard[1]}:${name}.git`;
}
