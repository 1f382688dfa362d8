import type { AppView } from '../../core/apps/app.ts';
import { BerthError } from '../../core/errors.ts';
import type { Space } from '../../core/spaces/space.ts';
import type { Team } from '../../core/teams/team.ts';
import { coreAppName } from './app-name.ts';
import { DEFINITION, definitionOf, readTree } from './app-tree.ts';
import { answer, type Call, param, type Route } from './call.ts';
import { coreProcesses } from './core-processes.ts';
import type { ParsedDefinition } from './definition/definition.ts';
import { parseDefinition } from './definition/parse-definition.ts';
import { forbiddenHere, notThere, Refusal, wrongInput } from './errors.ts';
import { appOf, FIRST_ENVIRONMENT, findSpace, organizationOf } from './scope.ts';
import type { GiantSwarmParts } from './settings.ts';
import { shownDefinition } from './shown-definition.ts';
import { startProcesses } from './start.ts';
import { appShape } from './status-shape.ts';
import { appsOf } from './team-apps.ts';

export function appRoutes(parts: GiantSwarmParts): readonly Route[] {
  const { core, settings } = parts;

  /** Those that hold apps. */
  async function environments(call: Call) {
    const apps = await appsOf(core, call.actor, await organizationOf(core, call));
    const names = [...new Set(apps.map((app) => app.spaceName as string))].sort();
    return answer('data', { environments: names.map((name) => ({ name })) });
  }

  async function list(call: Call) {
    let team: Team;
    try {
      team = await organizationOf(core, call);
    } catch (error) {
      // Here, and only here, the documents know no 403 for an organization that is not there; another's is forbidden.
      if (error instanceof Refusal && (await core.teams.exists(param(call, 'org')))) throw forbiddenHere();
      throw notThere();
    }
    const space = await findSpace(core, call, team, param(call, 'env'));
    if (space === null) {
      if (param(call, 'env') === FIRST_ENVIRONMENT) return answer('data', []);
      throw notThere();
    }
    const apps = await appsOf(core, call.actor, team, space);
    const definitions = await core.annotations.getOf(apps, DEFINITION);
    return answer(
      'data',
      apps.map((app) => ({
        app: definitionOf(definitions.get(app.id))?.name ?? app.handle,
        company: team.name,
        created: app.createdAt.toISOString().slice(0, 19).replace('T', ' '),
        env: space.name,
        org: team.name,
      })),
    );
  }

  async function create(call: Call) {
    const team = await organizationOf(core, call);
    const parsed = parseDefinition(call.body);
    const name = coreAppName(parsed.name);
    if (name === null) throw wrongInput('["app_name"]: must be letters, digits and inner . _ -, at most 100');
    const space = await environmentFor(call, team);
    try {
      await core.apps.create(call.actor, {
        name,
        team: team.id,
        spaceId: space.id,
        stopped: true,
        ...coreProcesses(parsed),
        annotations: { [DEFINITION]: JSON.stringify(parsed.definition) },
      });
    } catch (error) {
      throw refusedCreation(error, parsed);
    }
    return answer('created');
  }

  function refusedCreation(error: unknown, parsed: ParsedDefinition): unknown {
    if (!(error instanceof BerthError)) return error;
    if (error.details.code === 'app-exists') return new Refusal(400, 'exists', 'resource already exists');
    if (error.details.code === 'domain-exists') return wrongInput(`["domains"]: ${takenText(parsed)}`);
    return error;
  }

  const takenText = (parsed: ParsedDefinition): string => {
    const names = parsed.components.flatMap((component) => component.domains.map(({ hostname }) => hostname));
    return `${names.length === 1 ? `the domain ${names[0]} is` : `one of the domains ${names.join(', ')} is`} used by another app`;
  };

  /** An environment comes to be with its first app. */
  async function environmentFor(call: Call, team: Team): Promise<Space> {
    const name = param(call, 'env');
    const known = await findSpace(core, call, team, name);
    if (known !== null) return known;
    try {
      return await core.spaces.create(call.actor, { name, teamId: team.id });
    } catch (error) {
      if (error instanceof BerthError && error.details.code === 'space-exists')
        return core.spaces.get(call.actor, name, team.id);
      throw error;
    }
  }

  async function remove(call: Call) {
    let app: AppView;
    try {
      ({ app } = await appOf(core, call));
    } catch (error) {
      if (error instanceof Refusal && error.code === 'notFound') throw new Refusal(404, null, 'application not found');
      throw error;
    }
    await core.apps.remove(call.actor, app.id);
    return answer('deleted');
  }

  const tree = async (call: Call) => {
    const { app } = await appOf(core, call);
    return readTree(core, call.actor, app, settings.registryHost);
  };
  const environment = '/v1/org/:org/env/:env';
  const own = `${environment}/app/:app`;
  return [
    { method: 'GET', path: '/v1/org/:org/env', access: 'app.read', handle: environments },
    { method: 'GET', path: `${environment}/app`, access: 'app.read', handle: list },
    { method: 'POST', path: `${environment}/app`, access: 'app.create', handle: create },
    { method: 'DELETE', path: own, access: 'app.delete', handle: remove },
    {
      method: 'POST',
      path: `${own}/start`,
      access: 'app.update.start',
      handle: async (call) => {
        await startProcesses(core, call, await tree(call), null);
        return answer('started');
      },
    },
    {
      method: 'POST',
      path: `${own}/stop`,
      access: 'app.update.stop',
      handle: async (call) => {
        await core.switches.stop(call.actor, (await appOf(core, call)).app.id, null);
        return answer('stopped');
      },
    },
    {
      method: 'GET',
      path: `${own}/status`,
      access: 'app.read.info',
      handle: async (call) => answer('data', appShape(await tree(call))),
    },
    {
      method: 'GET',
      path: `${own}/config`,
      access: 'app.read.info',
      handle: async (call) => answer('data', await shownDefinition(core, call.actor, await tree(call))),
    },
  ];
}
