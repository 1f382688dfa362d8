import type { Id } from '../names.ts';
import type { Stores } from '../ports/database.ts';
import type { RegistryCredentials } from '../ports/images.ts';

/** What a team signs in with to a registry (see `registryHost`); null: as nobody. */
export async function credentialsOf(
  { registries }: Pick<Stores, 'registries'>,
  teamId: Id<'team'>,
  host: string,
): Promise<RegistryCredentials | null> {
  const found = await registries.find(teamId, host);
  return found === null ? null : { username: found.username, password: found.password };
}
