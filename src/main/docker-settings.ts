/** Whether the docker engine is there, and which daemon it begins with. */
import { dockerBridge } from '../engines/common/instance-interfaces.ts';
import type { Settings } from './settings.ts';

const DEFAULT_HOST = 'unix:///var/run/docker.sock';

type DockerSettings = Pick<Settings, 'engine' | 'dockerHost'>;

/** When it runs the default pool, or when its daemon was named: then other pools may have it. */
export const usesDocker = ({ engine, dockerHost }: DockerSettings): boolean => engine === 'docker' || dockerHost !== '';

export const dockerHostOf = ({ dockerHost }: Pick<Settings, 'dockerHost'>): string => dockerHost || DEFAULT_HOST;

/** Where instances of the docker engine are, for the agent to keep its own from them. */
export const instancesElsewhere = (
  settings: DockerSettings & Pick<Settings, 'dockerAddressPool'>,
): { readonly blocks: readonly string[]; readonly interfaces: readonly string[] } =>
  usesDocker(settings)
    ? { blocks: [settings.dockerAddressPool], interfaces: [dockerBridge] }
    : { blocks: [], interfaces: [] };

/** The node that is there without being added. */
export const homeNodeOf = (settings: DockerSettings): { readonly address: string; readonly engine: string } | null =>
  usesDocker(settings) ? { address: dockerHostOf(settings), engine: 'docker' } : null;
