import { BerthError } from '../../core/errors.ts';
import type { Team } from '../../core/teams/team.ts';
import { answer, type Call, type Route } from './call.ts';
import { forbiddenHere, Refusal, wrongInput } from './errors.ts';
import { optionalTextField, textField } from './input.ts';
import { organizationOf, orNull } from './scope.ts';
import type { GiantSwarmParts } from './settings.ts';

/** Of new organizations; teams made elsewhere may be called otherwise. */
const nameForm = /^[a-z0-9_]{4,30}$/;

export function organizationRoutes({ core, settings }: GiantSwarmParts): readonly Route[] {
  async function create({ actor, body }: Call) {
    const name = optionalTextField(body, 'company_id') ?? textField(body, 'org_id');
    if (!nameForm.test(name)) throw wrongInput('["org_id"]: must be 4 to 30 of a-z, 0-9 and _');
    try {
      await core.teams.create(actor, { name });
    } catch (error) {
      if (error instanceof BerthError && error.details.code === 'team-exists')
        throw new Refusal(400, 'serverError', `the organization ${name} already exists`);
      throw error;
    }
    return answer('created');
  }

  async function show(call: Call) {
    const team = await orNull(organizationOrAbsent(call));
    if (team === null) throw new Refusal(404, null, 'organization not found');
    const members = await core.teams.members(call.actor, team.id);
    return answer('data', {
      default_cluster: settings.defaultCluster,
      id: team.name,
      members: members.map(({ username }) => username),
    });
  }

  async function organizationOrAbsent(call: Call): Promise<Team> {
    try {
      return await organizationOf(core, call);
    } catch (error) {
      if (error instanceof Refusal) throw new BerthError('not-found', 'organization not found');
      throw error;
    }
  }

  /** Not the one that a user owns by name, and not one with apps. */
  async function remove(call: Call) {
    const team = await organizationOf(core, call);
    const owner = (await core.teams.members(call.actor, team.id)).find(
      (member) => (member.username as string) === team.name,
    );
    if (owner !== undefined) throw forbiddenHere();
    try {
      await core.teams.remove(call.actor, team.id);
    } catch (error) {
      if (error instanceof BerthError && error.kind === 'conflict') throw new Refusal(403, null, error.message);
      throw error;
    }
    return answer('deleted');
  }

  async function addMember(call: Call) {
    const team = await organizationOf(core, call);
    const name = textField(call.body, 'username');
    const members = await core.teams.members(call.actor, team.id);
    if (members.some(({ username }) => username === name)) throw wrongInput(`${name} is a member already`);
    try {
      await core.teams.addMember(call.actor, team.id, name);
    } catch (error) {
      if (error instanceof BerthError && error.kind === 'not-found') throw wrongInput(`there is no user ${name}`);
      if (error instanceof BerthError && error.kind === 'conflict') throw wrongInput(`${name} is a member already`);
      throw error;
    }
    return answer('updated');
  }

  async function removeMember(call: Call) {
    const team = await organizationOf(core, call);
    const name = textField(call.body, 'username');
    try {
      await core.teams.removeMember(call.actor, team.id, name);
    } catch (error) {
      if (error instanceof BerthError && error.kind === 'not-found') throw wrongInput(`${name} is no member`);
      if (error instanceof BerthError && error.kind === 'conflict') throw wrongInput(error.message);
      throw error;
    }
    return answer('updated');
  }

  const own = '/v1/org/:org';
  return [
    { method: 'POST', path: '/v1/org', access: 'team.create', handle: create },
    { method: 'GET', path: own, access: 'team.read', handle: show },
    { method: 'DELETE', path: own, access: 'team.read', handle: remove },
    { method: 'POST', path: `${own}/members/add`, access: 'team.read', handle: addMember },
    { method: 'POST', path: `${own}/members/remove`, access: 'team.read', handle: removeMember },
  ];
}
