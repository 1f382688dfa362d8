/** From the names in a path to the core's things. Each step refuses as the documents say, and another's answers like none. */
import type { AppView } from '../../core/apps/app.ts';
import type { Core } from '../../core/core.ts';
import { BerthError } from '../../core/errors.ts';
import type { Space } from '../../core/spaces/space.ts';
import type { Team } from '../../core/teams/team.ts';
import { coreAppName } from './app-name.ts';
import { type Call, param } from './call.ts';
import { forbiddenHere, notThere } from './errors.ts';

/** The environment that every organization has from the start. */
export const FIRST_ENVIRONMENT = 'dev';

/** What `work` finds; null for what is not there or not the caller's. */
export async function orNull<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof BerthError && (error.kind === 'not-found' || error.kind === 'forbidden')) return null;
    throw error;
  }
}

/** The organization. Throws 403 for one that is not there or not the caller's. */
export async function organizationOf(core: Core, call: Call): Promise<Team> {
  const team = await orNull(core.teams.get(call.actor, param(call, 'org')));
  // An id names a team too; here only names do.
  if (team === null || team.name !== param(call, 'org')) throw forbiddenHere();
  return team;
}

/** The team's own space of the name, or one that is open to all teams; null when there is neither. */
export async function findSpace(core: Core, call: Call, team: Team, environment: string): Promise<Space | null> {
  const own = await orNull(core.spaces.get(call.actor, environment, team.id));
  const space = own ?? (await orNull(core.spaces.get(call.actor, environment, null)));
  return space?.name === environment ? space : null;
}

/** The app of the path. Throws 403 for the organization, else 400/10008. */
export async function appOf(core: Core, call: Call): Promise<{ readonly team: Team; readonly app: AppView }> {
  const team = await organizationOf(core, call);
  const space = await findSpace(core, call, team, param(call, 'env'));
  if (space === null) throw notThere();
  const name = param(call, 'app');
  const slug = coreAppName(name);
  const named = slug === null ? null : await orNull(core.apps.getIn(call.actor, space.id, slug));
  const app = named ?? (await orNull(core.apps.get(call.actor, name)));
  if (app === null || app.teamId !== team.id || app.spaceId !== space.id) throw notThere();
  return { team, app };
}
