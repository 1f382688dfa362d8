import type { Actor } from '../access/actor.ts';
import { can } from '../access/actor.ts';
import type { Authenticator } from '../access/authenticator.ts';
import { demandOn } from '../access/authorize.ts';
import { keepWorking } from '../collaborators/collaborator-service.ts';
import { conflict, invalid, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { appName, type Id } from '../names.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Stores } from '../ports/database.ts';
import { ensureOwnTeam, findOwnTeam } from '../teams/own-team.ts';
import type { Team } from '../teams/team.ts';
import type { User } from '../users/user.ts';
import type { App, AppView } from './app.ts';
import { fetchApp } from './app-access.ts';
import { checkAppQuota, freeHandle } from './create-app.ts';

/** Who gets an app: a team (name or id), or a person (id, username or e-mail address) for the team of their own. */
export type NewOwner = { readonly team: string } | { readonly user: string };

export interface TransferOptions {
  /** Whoever gives it away works on it as a collaborator from now on. */
  readonly keepWorking?: boolean;
}

/** A person as events and lists show them. */
export type OwnerView = Pick<User, 'id' | 'username' | 'email'>;

/** What an app is called and whose it is. */
export class AppOwnershipService {
  readonly #context: CoreContext;
  readonly #authenticator: Authenticator;
  constructor(context: CoreContext, authenticator: Authenticator) {
    this.#context = context;
    this.#authenticator = authenticator;
  }

  /**
   * Gives it another name, and with it another handle and default host; the old ones lead nowhere from the commit on. Needs
   * `app.update.name`. Throws conflict `app-exists`. Instances see the new name when they are next replaced.
   */
  async rename(actor: Actor, reference: string, newName: string): Promise<AppView> {
    const { db, clock } = this.#context;
    const app = await fetchApp(db, actor, reference, 'app.update.name');
    const name = appName(newName);
    const [team, space] = await Promise.all([db.teams.find(app.teamId), db.spaces.find(app.spaceId, null)]);
    if (team === null || space === null) throw notFound('app', reference);
    if (name !== app.name)
      await db.transaction(async (stores) => {
        const { name: oldName, handle: oldHandle } = await lock(stores, app.id, reference);
        const handle = await freeHandle(stores, name, space, team, app.id);
        await stores.apps.update(app.id, { name, handle, updatedAt: clock.now() });
        await record(
          this.#context,
          stores,
          actor,
          'AppRenamed',
          { app: { ...app, handle } },
          { oldName, newName: name, oldHandle, newHandle: handle },
        );
        await stores.wake('routing', app.id);
      });
    return fetchApp(db, actor, app.id, 'app.read.info');
  }

  /**
   * Gives it to another team. Needs `app.update.teamowner`, and the right to make apps in the target (`app.create`: its members have it); a
   * person who works on the app as a collaborator has agreed to more than a name in a list, so it may also go to the team of their own.
   * Throws invalid `not-collaborator`, conflict `space-belongs-to-team`, quota `apps`.
   */
  async transfer(actor: Actor, reference: string, to: NewOwner, options: TransferOptions = {}): Promise<AppView> {
    const { db, clock } = this.#context;
    const app = await fetchApp(db, actor, reference, 'app.update.teamowner');
    if (app.spaceTeamId !== null)
      throw conflict('space-belongs-to-team', `the app lies in a space that belongs to its team`, 'app');
    const team = 'team' in to ? await this.#team(actor, to.team) : await this.#teamOf(actor, app, to.user);
    if (team.id !== app.teamId)
      await db.transaction(async (stores) => {
        const locked = await lock(stores, app.id, reference);
        await checkAppQuota(this.#context, stores, team.id);
        const given: App = { ...locked, teamId: team.id };
        await stores.apps.update(app.id, { teamId: team.id, updatedAt: clock.now() });
        for (const addon of await stores.addons.ofApp(app.id))
          await stores.addons.update(addon.id, { teamId: team.id });
        await stores.collaborators.removeMembers(app.id, team.id);
        if (options.keepWorking === true) await keepWorking(this.#context, stores, given, actor);
        const owners = await stores.teams.owners([app.teamId, team.id]);
        await record(
          this.#context,
          stores,
          actor,
          'AppTransferred',
          { app: given },
          {
            oldTeam: app.teamName,
            newTeam: team.name,
            oldOwner: shown(owners.get(app.teamId)),
            newOwner: shown(owners.get(team.id)),
          },
        );
      });
    this.#authenticator.forget();
    const moved = await db.apps.find(app.id);
    if (moved === null) throw notFound('app', reference);
    return moved;
  }

  /** For APIs that know only people: whom the apps belong to, by team id. Of apps that the actor has listed already. */
  async ownersOf(apps: readonly Pick<App, 'teamId'>[]): Promise<ReadonlyMap<string, OwnerView>> {
    if (apps.length === 0) return new Map();
    return this.#context.db.teams.owners([...new Set(apps.map((app) => app.teamId))]);
  }

  async #team(actor: Actor, reference: string): Promise<Team> {
    const team = await this.#context.db.teams.find(reference);
    if (team === null) throw notFound('team', reference);
    demandOn(actor, 'team', reference, 'team.read', 'app.create', { teamId: team.id });
    return team;
  }

  /** Somebody unknown answers like somebody who does not work on the app. */
  async #teamOf(actor: Actor, app: AppView, reference: string): Promise<Team> {
    const { db } = this.#context;
    const user = await db.users.find(reference);
    const own = user === null ? null : await findOwnTeam(db, user);
    if (own !== null && can(actor, 'app.create', { teamId: own.id })) return own;
    const works = user !== null && (await db.collaborators.list(app.id)).some((item) => item.userId === user.id);
    if (user === null || !(works || can(actor, 'app.create')))
      throw invalid(
        'owner',
        'the new owner must have accepted to work on the app as a collaborator',
        'not-collaborator',
      );
    return (await ensureOwnTeam(this.#context, actor, user)).team;
  }
}

async function lock(stores: Stores, appId: Id<'app'>, reference: string): Promise<App> {
  const locked = await stores.apps.lock(appId);
  if (locked === null || locked.deletedAt !== null) throw notFound('app', reference);
  return locked;
}

const shown = (owner: OwnerView | undefined): OwnerView | null =>
  owner === undefined ? null : { id: owner.id, username: owner.username, email: owner.email };
