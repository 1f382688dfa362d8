import { type Actor, can } from '../access/actor.ts';
import { demandOn } from '../access/authorize.ts';
import { BerthError, invalid, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Secret } from '../ports/secret.ts';
import type { Team } from '../teams/team.ts';
import type { Registry, RegistryWithPassword } from './registry.ts';
import { registryHost } from './registry-host.ts';

export interface SetRegistry {
  /** `host` or `host:port`; `docker.io` for the Docker Hub. */
  readonly host: string;
  readonly username: string;
  /** A password or an access token. */
  readonly password: Secret;
}

const REGISTRIES_MAX = 50;
const USERNAME_MAX = 256;
const PASSWORD_MAX = 16 * 1_024;

/**
 * What teams sign in with to registries of images. Used when images of the team's apps are looked up and pulled; the password is never
 * shown again. Members may change them, as they may use them by deploying an image.
 */
export class RegistryService {
  readonly #context: CoreContext;
  constructor(context: CoreContext) {
    this.#context = context;
  }

  /** By host, without passwords. Needs `team.read`. */
  async list(actor: Actor, teamReference: string): Promise<readonly Registry[]> {
    const team = await this.#team(actor, teamReference, 'team.read');
    return this.#context.db.registries.list(team.id);
  }

  /** In place of what the team has for this host, if anything. Needs membership or `team.update`. Throws `invalid`, and `quota` beyond 50 hosts. */
  async set(actor: Actor, teamReference: string, input: SetRegistry): Promise<Registry> {
    const { db, ids, clock } = this.#context;
    const team = await this.#team(actor, teamReference, 'team.update');
    const host = registryHost(input.host);
    const registry: RegistryWithPassword = {
      id: ids.id(),
      teamId: team.id,
      host,
      username: checkUsername(input.username),
      password: checkPassword(input.password),
      createdAt: clock.now(),
    };
    return db.transaction(async (stores) => {
      const known = await stores.registries.list(team.id);
      if (known.length >= REGISTRIES_MAX && !known.some((item) => item.host === host))
        throw new BerthError('quota', `the team has ${REGISTRIES_MAX} registries; remove one that it does not use`, {
          code: 'registries',
        });
      await stores.registries.set(registry);
      const about = { team: team.name, registry: host, username: registry.username };
      await record(this.#context, stores, actor, 'RegistrySet', { teamId: team.id }, about);
      const now = (await stores.registries.list(team.id)).find((item) => item.host === host);
      if (now === undefined) throw notFound('registry', host);
      return now;
    });
  }

  /** By id or host. What runs goes on; what must be pulled anew needs other credentials. Needs membership or `team.update`. */
  async remove(actor: Actor, teamReference: string, reference: string): Promise<Registry> {
    const { db } = this.#context;
    const team = await this.#team(actor, teamReference, 'team.update');
    const known = await db.registries.list(team.id);
    const registry = known.find((item) => item.id === reference || item.host === reference.trim().toLowerCase());
    if (registry === undefined) throw notFound('registry', reference);
    await db.transaction(async (stores) => {
      await stores.registries.remove(registry.id);
      const about = { team: team.name, registry: registry.host };
      await record(this.#context, stores, actor, 'RegistryRemoved', { teamId: team.id }, about);
    });
    return registry;
  }

  /** A team that one may not read answers as not there. */
  async #team(actor: Actor, reference: string, permission: 'team.read' | 'team.update'): Promise<Team> {
    const team = await this.#context.db.teams.find(reference);
    if (team === null) throw notFound('team', reference);
    const place = { teamId: team.id };
    const isMember = actor.teamIds.includes(team.id) && can(actor, 'team.read', place);
    demandOn(actor, 'team', reference, 'team.read', isMember ? 'team.read' : permission, place);
    return team;
  }
}

function checkUsername(text: string): string {
  const username = text.trim();
  if (username === '') throw invalid('username', 'the registry needs a user name', 'missing');
  if (username.length > USERNAME_MAX)
    throw invalid('username', `the user name is longer than ${USERNAME_MAX} characters`, 'too-long');
  // HTTP's Basic scheme ends the name at its first colon.
  if (/[\p{Cc}:]/u.test(username))
    throw invalid('username', 'the user name must hold no colon and no control characters', 'malformed');
  return username;
}

function checkPassword(password: Secret): Secret {
  const text = password.reveal();
  if (text === '') throw invalid('password', 'the registry needs a password or an access token', 'missing');
  if (text.length > PASSWORD_MAX)
    throw invalid('password', `the password is longer than ${PASSWORD_MAX} characters`, 'too-long');
  if (/\p{Cc}/u.test(text)) throw invalid('password', 'the password must hold no control characters', 'malformed');
  return password;
}
