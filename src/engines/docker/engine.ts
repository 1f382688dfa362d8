/**
 * The Docker engine: the port `Engine` over the machines of a Swarm, which may be one. Each instance is a container on one of them; a fleet
 * decides on which, and speaks with each machine's own daemon.
 */
import type { Engine } from '../../core/ports/engine.ts';
import type { Images } from '../../core/ports/images.ts';
import { Fleet } from './fleet/fleet.ts';
import type { DockerEngineOptions } from './settings.ts';

export type DockerEngine = Engine & {
  readonly images: Images;
  /** Lets go; instances run on. `everything`: nothing of this install is left on the nodes but images and volumes. */
  close(options?: { readonly everything?: boolean }): Promise<void>;
};

/** Connects in the background; while the only daemon is away every verb rejects with `unavailable`. */
export function createDockerEngine(options: DockerEngineOptions): DockerEngine {
  return new Fleet(options);
}
