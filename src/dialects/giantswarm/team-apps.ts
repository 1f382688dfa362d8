import type { Actor } from '../../core/access/actor.ts';
import type { AppView } from '../../core/apps/app.ts';
import type { Core } from '../../core/core.ts';
import type { Space } from '../../core/spaces/space.ts';
import type { Team } from '../../core/teams/team.ts';

const PAGE = 1_000;

/** All of the organization's apps that the actor may see, or those of one environment. */
export async function appsOf(core: Core, actor: Actor, team: Team, space?: Space): Promise<readonly AppView[]> {
  const filter = { teamId: team.id, ...(space === undefined ? {} : { spaceId: space.id }) };
  const apps: AppView[] = [];
  for (let after: string | null | undefined; after !== null; ) {
    const page = await core.apps.list(actor, filter, { limit: PAGE, ...(after === undefined ? {} : { after }) });
    apps.push(...page.items);
    after = page.next;
  }
  return apps;
}
