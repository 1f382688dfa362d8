/** `berth spaces`: which pool the apps of a space run on is chosen when the space is made. */
import { systemActor } from '../../core/access/actor.ts';
import { notFound } from '../../core/errors.ts';
import { SpaceService, type SpaceWithCount } from '../../core/spaces/space-service.ts';
import type { Team } from '../../core/teams/team.ts';
import { type Column, table } from './table.ts';
import type { Call, Topic } from './topic.ts';

type Shown = SpaceWithCount & { readonly teamName: string | null; readonly poolName: string };

const columns: readonly Column<Shown>[] = [
  ['name', ({ name }) => name],
  ['team', ({ teamName }) => teamName],
  ['pool', ({ poolName }) => poolName],
  ['apps', ({ appCount }) => appCount],
  ['id', ({ id }) => id],
];

const serviceOf = ({ install }: Call): SpaceService => new SpaceService(install.context);

async function teamOf({ install, option }: Call): Promise<Team | null> {
  const reference = option('team');
  if (reference === null) return null;
  const team = await install.context.db.teams.find(reference);
  if (team === null) throw notFound('team', reference);
  return team;
}

export const spaces: Topic = {
  verbs: {
    list: {
      about: 'Lists the spaces with their pools.',
      arguments: [],
      options: {},
      usage: '',
      async run(call) {
        const { db } = call.install.context;
        const [pools, teams] = [await db.pools.list(), await db.teams.list('all')];
        const list = (await serviceOf(call).list(systemActor)).map(
          (space): Shown => ({
            ...space,
            teamName: teams.find(({ id }) => id === space.teamId)?.name ?? null,
            poolName: pools.find(({ id }) => id === space.poolId)?.name ?? '',
          }),
        );
        return { text: table(columns, list, 'There are no spaces.'), json: list };
      },
    },
    add: {
      about: 'Makes a space whose apps run on a pool, for one team or for all.',
      arguments: ['NAME'],
      options: { pool: { type: 'string' }, team: { type: 'string' } },
      usage: '[--pool POOL] [--team TEAM]',
      async run(call) {
        const [team, pool] = [await teamOf(call), call.option('pool')];
        const input = { name: call.argument('NAME'), teamId: team?.id ?? null };
        const space = await serviceOf(call).create(systemActor, {
          ...input,
          ...(pool === null ? {} : { poolId: pool }),
        });
        return { text: `Space ${space.name} was made.\n`, json: space };
      },
    },
    remove: {
      about: 'Removes a space that has no apps.',
      arguments: ['SPACE'],
      options: { team: { type: 'string' } },
      usage: '[--team TEAM]',
      async run(call) {
        const space = await serviceOf(call).remove(
          systemActor,
          call.argument('SPACE'),
          (await teamOf(call))?.id ?? null,
        );
        return { text: `Space ${space.name} was removed.\n`, json: space };
      },
    },
  },
};
