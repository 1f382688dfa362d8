/** What the settings say of the databases of add-ons. Every process of the platform reads it, so it needs nothing else. */
import { BerthError } from '../core/errors.ts';
import type { Settings } from './settings.ts';

/** What instances call the host where they have a network of their own. */
export const HOST_NAME = 'host.berth.internal';
const loopback = /^(?:127\.|localhost$|\[?::1\]?$)/;

export type AddonSettings = Pick<Settings, 'data' | 'postgresAddonUrl' | 'postgresAddonPort' | 'databaseUrl'>;

/** Throws `invalid` for a URL that is none, or that names the server of the platform's own state. */
export function checkAddonSettings(settings: AddonSettings): void {
  const own = settings.postgresAddonUrl?.reveal();
  if (own === undefined) return;
  const refuse = (words: string): never => {
    throw new BerthError('invalid', `BERTH_POSTGRES_ADDON_URL ${words}`, { field: 'BERTH_POSTGRES_ADDON_URL' });
  };
  if (!URL.canParse(own) || !/^postgres(?:ql)?:$/.test(new URL(own).protocol) || new URL(own).hostname === '')
    refuse('must be a URL: postgres://user:password@host:port/database');
  const platform = settings.databaseUrl?.reveal();
  if (platform !== undefined && URL.canParse(platform) && placeOf(own) === placeOf(platform))
    refuse('names the server that holds the state of the platform; give another one');
}

const placeOf = (url: string): string => {
  const { hostname, port } = new URL(url);
  return `${loopback.test(hostname) ? 'localhost' : hostname}:${port === '' ? 5432 : port}`;
};

/** The port of the host's loopback that apps must reach for their databases, or null when those are on another machine. */
export function addonHostPort(settings: AddonSettings): number | null {
  if (settings.postgresAddonUrl === null) return settings.postgresAddonPort;
  const { hostname, port } = new URL(settings.postgresAddonUrl.reveal());
  return loopback.test(hostname) ? Number(port || 5432) : null;
}
