import { type Actor, can } from '../access/actor.ts';
import type { Authenticator } from '../access/authenticator.ts';
import { demand, demandOn } from '../access/authorize.ts';
import { conflict, forbidden, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { teamName, username } from '../names.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { User } from '../users/user.ts';
import { ensureOwnTeam } from './own-team.ts';
import type { Team } from './team.ts';

export class TeamService {
  readonly #context: CoreContext;
  readonly #authenticator: Authenticator;
  constructor(context: CoreContext, authenticator: Authenticator) {
    this.#context = context;
    this.#authenticator = authenticator;
  }

  /** The creator becomes its first member. Throws conflict `team-exists`. */
  async create(actor: Actor, input: { name: string; description?: string }): Promise<Team> {
    demand(actor, 'team.create');
    const now = this.#context.clock.now();
    const team: Team = {
      id: this.#context.ids.id(),
      name: teamName(input.name),
      description: input.description ?? '',
      createdAt: now,
      updatedAt: now,
    };
    await this.#context.db.transaction(async (stores) => {
      await stores.teams.insert(team);
      if (actor.userId !== null)
        await stores.teams.addMember({ teamId: team.id, userId: actor.userId, createdAt: now });
      await record(this.#context, stores, actor, 'TeamCreated', { teamId: team.id }, { team: team.name });
    });
    this.#authenticator.forget();
    return team;
  }

  /**
   * For APIs that know only people: the team that stands for the actor (see own-team.ts), made when it is first asked for, and the actor with
   * what membership of it brings. A team's token has its team. Throws `forbidden` for one without either.
   */
  async own(actor: Actor): Promise<{ readonly team: Team; readonly actor: Actor }> {
    if (actor.userId === null) {
      const [teamId] = actor.teamIds;
      const team = teamId === undefined ? null : await this.#context.db.teams.find(teamId);
      if (team === null) throw forbidden('only a user or a team can own something', 'no-user');
      return { team, actor };
    }
    const user = { id: actor.userId, username: username(actor.name) };
    const { team, made } = await ensureOwnTeam(this.#context, actor, user);
    if (!made) return { team, actor };
    this.#authenticator.forget();
    return { team, actor: { ...((await this.#authenticator.byUser(user.id)) ?? actor), tokenId: actor.tokenId } };
  }

  /** By id or name. A team one does not belong to answers as not there. */
  async get(actor: Actor, reference: string, permission = 'team.read'): Promise<Team> {
    const team = await this.#context.db.teams.find(reference);
    if (team === null) throw notFound('team', reference);
    demandOn(actor, 'team', reference, 'team.read', permission, { teamId: team.id });
    return team;
  }

  /** Whether any team has the name. No secret: making one says so too. */
  async exists(name: string): Promise<boolean> {
    return (await this.#context.db.teams.find(name))?.name === name;
  }

  async list(actor: Actor): Promise<readonly Team[]> {
    return this.#context.db.teams.list(can(actor, 'team.read') ? 'all' : actor.teamIds);
  }

  async members(actor: Actor, reference: string): Promise<readonly User[]> {
    const team = await this.get(actor, reference);
    return this.#context.db.teams.members(team.id);
  }

  /** Members may add members, as in every one of the platforms this one follows. */
  async addMember(actor: Actor, reference: string, userReference: string): Promise<void> {
    const team = await this.get(actor, reference);
    this.#demandMembership(actor, team);
    const user = await this.#context.db.users.find(userReference);
    if (user === null) throw notFound('user', userReference);
    await this.#context.db.transaction(async (stores) => {
      await stores.teams.addMember({ teamId: team.id, userId: user.id, createdAt: this.#context.clock.now() });
      await record(
        this.#context,
        stores,
        actor,
        'MemberAdded',
        { teamId: team.id },
        { team: team.name, user: user.username },
      );
    });
    this.#authenticator.forget();
  }

  async removeMember(actor: Actor, reference: string, userReference: string): Promise<void> {
    const team = await this.get(actor, reference);
    this.#demandMembership(actor, team);
    const members = await this.#context.db.teams.members(team.id);
    const member = members.find(
      (user) =>
        user.id === userReference || user.username === userReference || user.email === userReference.toLowerCase(),
    );
    if (member === undefined) throw notFound('member', userReference);
    if (members.length === 1) throw conflict('last-member', 'the last member of a team cannot leave it', 'team');
    await this.#context.db.transaction(async (stores) => {
      await stores.teams.removeMember(team.id, member.id);
      await record(
        this.#context,
        stores,
        actor,
        'MemberRemoved',
        { teamId: team.id },
        { team: team.name, user: member.username },
      );
    });
    this.#authenticator.forget();
  }

  /** Only without apps. Needs `team.delete`, or to be its only member. */
  async remove(actor: Actor, reference: string): Promise<Team> {
    const team = await this.get(actor, reference);
    if (!actor.teamIds.includes(team.id)) demand(actor, 'team.delete', { teamId: team.id });
    if ((await this.#context.db.apps.count(team.id)) > 0)
      throw conflict('team-has-apps', 'the team still has apps; delete or move them first', 'team');
    await this.#context.db.transaction(async (stores) => {
      await stores.teams.remove(team.id);
      await record(this.#context, stores, actor, 'TeamRemoved', { teamId: team.id }, { team: team.name });
    });
    this.#authenticator.forget();
    return team;
  }

  #demandMembership(actor: Actor, team: Team): void {
    if (!actor.teamIds.includes(team.id)) demand(actor, 'team.update', { teamId: team.id });
  }
}
