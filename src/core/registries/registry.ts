import type { Id } from '../names.ts';
import type { Secret } from '../ports/secret.ts';

/** With what a team signs in to a registry of images. One for each team and host. */
export interface Registry {
  readonly id: Id<'registry'>;
  readonly teamId: Id<'team'>;
  /** `host` or `host:port` in lower case; `docker.io` for the Docker Hub. */
  readonly host: string;
  readonly username: string;
  readonly createdAt: Date;
}
export interface RegistryWithPassword extends Registry {
  readonly password: Secret;
}
export interface RegistryStore {
  /** By host. */
  list(teamId: Id<'team'>): Promise<readonly Registry[]>;
  find(teamId: Id<'team'>, host: string): Promise<RegistryWithPassword | null>;
  /** In place of the one that the team has for this host, if any; that one's id and time of creation stay. */
  set(registry: RegistryWithPassword): Promise<void>;
  remove(id: Id<'registry'>): Promise<void>;
}
