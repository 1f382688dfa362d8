import { notFound } from '../../core/errors.ts';
import { isId } from '../../core/names.ts';
import type { Team } from '../../core/teams/team.ts';
import { type Call, created, ok, param, type Route } from './call.ts';
import { elevatedOnly } from './elevated.ts';
import { unprocessable } from './errors.ts';
import { fieldsOf, text } from './fields.ts';
import type { AkkerisParts } from './settings.ts';

export function organizationRoutes({ core }: AkkerisParts): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/organizations',
      access: 'signed-in',
      handle: async ({ actor }) => ok((await core.teams.list(actor)).map(organizationShape)),
    },
    {
      method: 'POST',
      path: '/organizations',
      access: 'team.create',
      handle: async ({ actor, body }) => {
        const fields = fieldsOf(body);
        const name = (text(fields, 'name') ?? '').trim();
        if (name === '') throw unprocessable('The organization name was not specified.');
        const description = text(fields, 'description') ?? '';
        const team = await core.teams.create(actor, { name, description });
        return created({ ...organizationShape(team), description });
      },
    },
    {
      method: 'GET',
      path: '/organizations/:org',
      access: 'team.read',
      handle: async (call) => ok(organizationShape(await findOrganization(core, call, param(call, 'org')))),
    },
    {
      method: 'DELETE',
      path: '/organizations/:org',
      access: 'team.delete',
      handle: async (call) => {
        const team = await findOrganization(core, call, param(call, 'org'));
        elevatedOnly(call);
        return ok(organizationShape(await core.teams.remove(call.actor, team.id)));
      },
    },
  ];
}

/** By name only, never by id. Throws `not-found`. */
export async function findOrganization(core: AkkerisParts['core'], call: Call, name: string): Promise<Team> {
  if (isId(name)) throw notFound('organization', name);
  return core.teams.get(call.actor, name);
}

const organizationShape = (team: Team) => ({
  created_at: team.createdAt.toISOString(),
  default: false,
  id: team.id,
  name: team.name,
  role: 'admin',
  updated_at: team.updatedAt.toISOString(),
});
