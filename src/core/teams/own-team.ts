/** The team that stands for one person where an API knows only people: what they own, it owns. */
import type { Actor } from '../access/actor.ts';
import { BerthError } from '../errors.ts';
import { record } from '../events/record.ts';
import { teamName } from '../names.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Stores } from '../ports/database.ts';
import type { User } from '../users/user.ts';
import type { Team } from './team.ts';

type Person = Pick<User, 'id' | 'username'>;

const NAME_MAX = 54;

/** Of the teams that the user stands for (see `TeamStore.owners`), the one of their name, else the oldest; null when there is none. */
export async function findOwnTeam(stores: Stores, user: Person): Promise<Team | null> {
  const ids = await stores.teams.teamIdsOf(user.id);
  if (ids.length === 0) return null;
  const owners = await stores.teams.owners(ids);
  const teams = (await stores.teams.list(ids)).filter((team) => owners.get(team.id)?.id === user.id);
  const oldest = teams.toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
  return teams.find((team) => team.name.toLowerCase() === user.username.toLowerCase()) ?? oldest[0] ?? null;
}

/** As `findOwnTeam`; makes it when there is none. Callers have the Authenticator forget when it was made. */
export async function ensureOwnTeam(
  context: CoreContext,
  actor: Actor,
  user: Person,
): Promise<{ readonly team: Team; readonly made: boolean }> {
  const known = await findOwnTeam(context.db, user);
  if (known !== null) return { team: known, made: false };
  try {
    return { team: await make(context, actor, user), made: true };
  } catch (error) {
    // Made by another request meanwhile.
    const other = error instanceof BerthError && error.kind === 'conflict' ? await findOwnTeam(context.db, user) : null;
    if (other === null) throw error;
    return { team: other, made: false };
  }
}

async function make(context: CoreContext, actor: Actor, user: Person): Promise<Team> {
  const now = context.clock.now();
  return context.db.transaction(async (stores) => {
    const plain = user.username.replaceAll('+', '-').slice(0, NAME_MAX);
    const isFree = (await stores.teams.find(plain)) === null;
    // Taken by another, or by this person's own that was made a moment ago.
    const own = isFree ? null : await findOwnTeam(stores, user);
    if (own !== null) return own;
    const name = isFree ? plain : `${plain}-${user.id.slice(0, 8)}`;
    const team: Team = { id: context.ids.id(), name: teamName(name), description: '', createdAt: now, updatedAt: now };
    await stores.teams.insert(team);
    await stores.teams.addMember({ teamId: team.id, userId: user.id, createdAt: now });
    await record(context, stores, actor, 'TeamCreated', { teamId: team.id }, { team: team.name });
    return team;
  });
}
