import { type Kysely, sql } from 'kysely';
import { jsonArrayFrom } from 'kysely/helpers/postgres';
import type { AppStore } from '../core/apps/app-store.ts';
import { type AppName, type Id, idBounds, isId } from '../core/names.ts';
import { activityOf } from './app-activity.ts';
import { isEmpty, toRow } from './columns.ts';
import { keyOf, limitOf, pageOf } from './pages.ts';
import { processViews } from './processes.ts';
import type { Schema } from './schema.ts';
import { statement } from './statements.ts';

const columns = [
  'apps.id',
  'apps.name',
  'apps.handle',
  'apps.team_id as teamId',
  'apps.space_id as spaceId',
  'apps.pool_id as poolId',
  'apps.description',
  'apps.labels',
  'apps.features',
  'apps.maintenance',
  'apps.stopped',
  'apps.restart_generation as restartGeneration',
  'apps.current_release_id as currentReleaseId',
  'apps.created_by as createdBy',
  'apps.created_at as createdAt',
  'apps.updated_at as updatedAt',
  'apps.released_at as releasedAt',
  'apps.deleted_at as deletedAt',
] as const;
const viewColumns = [
  ...columns,
  'teams.name as teamName',
  'spaces.name as spaceName',
  'spaces.team_id as spaceTeamId',
  'spaces.compliance as spaceCompliance',
  'pools.name as poolName',
] as const;

const viewsOf = (db: Kysely<Schema>) =>
  db
    .selectFrom('apps')
    .innerJoin('teams', 'teams.id', 'apps.team_id')
    .innerJoin('spaces', 'spaces.id', 'apps.space_id')
    .innerJoin('pools', 'pools.id', 'apps.pool_id')
    .select(viewColumns)
    .where('apps.deleted_at', 'is', null);

/**
 * What a reference may mean, the likeliest reading first. Names of spaces are unique only among those of no team, so only there do a name
 * and a space mean one app.
 */
const byReference = (
  db: Kysely<Schema>,
  id: string | null,
  handle: string,
  names: readonly string[],
  spaces: readonly string[],
) => {
  const readings = sql<{ id: Id<'app'>; rank: number }>`(
    select id, 0 as rank from apps where id = ${id}::uuid
    union all select id, 1 from apps where handle = ${handle}
    union all select id, 2 from (
      select apps.id from unnest(${names}::text[], ${spaces}::text[]) as pair (name, space)
      join spaces on spaces.name = pair.space and spaces.team_id is null
      join apps on apps.space_id = spaces.id and apps.name = pair.name and apps.deleted_at is null
      order by apps.created_at limit 1) as named)`.as<'readings'>('readings');
  return viewsOf(db).innerJoin(readings, 'readings.id', 'apps.id').orderBy('readings.rank').limit(1);
};
const ofShortId = statement((db, low: string, high: string) =>
  db.selectFrom('apps').select('id').where('id', '>=', low).where('id', '<=', high).limit(1),
);
const found = statement(byReference);
const foundWithProcesses = statement(
  (db, id: string | null, handle: string, names: readonly string[], spaces: readonly string[]) =>
    byReference(db, id, handle, names, spaces).select((app) =>
      jsonArrayFrom(processViews(db).where('processes.app_id', '=', app.ref('apps.id'))).as('processes'),
    ),
);
const byName = statement((db, spaceId: Id<'space'>, name: AppName) =>
  viewsOf(db).where('apps.space_id', '=', spaceId).where('apps.name', '=', name),
);
const anyById = statement((db, id: Id<'app'>) => db.selectFrom('apps').select(columns).where('id', '=', id));
const lockById = statement((db, id: Id<'app'>) =>
  db.selectFrom('apps').select(columns).where('id', '=', id).forUpdate(),
);

export function createAppStore(db: Kysely<Schema>): AppStore {
  const views = () => viewsOf(db);
  return {
    async find(reference) {
      return (await found(db, ...(await readingsOf(db, reference))))[0] ?? null;
    },
    async findWithProcesses(reference) {
      const [row] = await foundWithProcesses(db, ...(await readingsOf(db, reference)));
      if (row === undefined) return null;
      const { processes, ...app } = row;
      // JSON has no dates.
      const revived = processes.map((process) => ({
        ...process,
        createdAt: new Date(process.createdAt),
        updatedAt: new Date(process.updatedAt),
      }));
      return { app, processes: revived };
    },
    async findByName(spaceId, name) {
      return (await byName(db, spaceId, name as AppName))[0] ?? null;
    },
    async findAny(id) {
      return isId(id) ? ((await anyById(db, id))[0] ?? null) : null;
    },
    async handlesTaken(handles) {
      const rows = await db
        .selectFrom('apps')
        .select('handle')
        .where(sql<boolean>`handle = any(${handles}::text[])`)
        .execute();
      return new Set(rows.map((row) => row.handle));
    },
    async lock(id) {
      return (await lockById(db, id))[0] ?? null;
    },
    async insert(app) {
      await db.insertInto('apps').values(toRow(app)).execute();
    },
    async update(id, change) {
      if (isEmpty(change)) return;
      await db.updateTable('apps').set(toRow(change)).where('id', '=', id).execute();
    },
    purge: (id) => purge(db, id),
    async list(visible, filter, page) {
      const limit = limitOf(page);
      const key = keyOf(page, 'string', 'string');
      let query = views()
        .orderBy('apps.name')
        .orderBy('apps.id')
        .limit(limit + 1);
      if (visible !== 'all') {
        const { teamIds, appIds, poolIds } = visible;
        query = query.where(
          sql<boolean>`(apps.team_id = any(${teamIds}::uuid[]) or apps.id = any(${appIds}::uuid[])
            or apps.pool_id = any(${poolIds}::uuid[]))`,
        );
      }
      if (filter.spaceId !== undefined) query = query.where('apps.space_id', '=', filter.spaceId);
      if (filter.teamId !== undefined) query = query.where('apps.team_id', '=', filter.teamId);
      if (filter.nameContains !== undefined)
        query = query.where(sql<boolean>`strpos(apps.name, ${filter.nameContains}) > 0`);
      if (key !== null) query = query.where(sql<boolean>`(apps.name, apps.id) > (${key[0]}, ${key[1]}::uuid)`);
      return pageOf(await query.execute(), limit, (app) => [app.name, app.id]);
    },
    async allIds() {
      const rows = await db.selectFrom('apps').select('id').orderBy('id').execute();
      return rows.map((row) => row.id);
    },
    async count(teamId) {
      const row = await db
        .selectFrom('apps')
        .select((count) => count.fn.countAll<number>().as('apps'))
        .where('team_id', '=', teamId)
        .where('deleted_at', 'is', null)
        .executeTakeFirstOrThrow();
      return row.apps;
    },
    activity: (ids) => activityOf(db, ids),
  };
}

type References = readonly [id: string | null, handle: string, names: readonly string[], spaces: readonly string[]];

async function readingsOf(db: Kysely<Schema>, reference: string): Promise<References> {
  const pairs = splits(reference);
  return [await wholeId(db, reference), reference, pairs.map(([name]) => name), pairs.map(([, space]) => space)];
}

/**
 * The id that the text is or begins. A short one is looked up apart: as a range among the other readings it would spoil the plan of the
 * statement that nearly every request begins with.
 */
async function wholeId(db: Kysely<Schema>, reference: string): Promise<string | null> {
  const bounds = idBounds(reference);
  if (bounds === null || bounds[0] === bounds[1]) return bounds?.[0] ?? null;
  return (await ofShortId(db, ...bounds))[0]?.id ?? null;
}

/** Every way to read `a-b-c` as `<name>-<space>`. */
function splits(reference: string): readonly (readonly [name: string, space: string])[] {
  const pairs: [string, string][] = [];
  // A handle is at most 63 characters and a space's name 40, so anything longer names no app.
  if (reference.length > 104) return pairs;
  for (let at = reference.indexOf('-'); at !== -1; at = reference.indexOf('-', at + 1)) {
    pairs.push([reference.slice(0, at), reference.slice(at + 1)]);
  }
  return pairs;
}

/** The row and all that hangs on it, in one statement; what has a foreign key goes by cascade. Open work on it is cancelled. */
async function purge(db: Kysely<Schema>, id: Id<'app'>): Promise<void> {
  await db
    .with('variables', (gone) => gone.deleteFrom('config_vars').where('source', '=', 'app').where('owner_id', '=', id))
    .with('own_variables', (gone) =>
      gone
        .deleteFrom('config_vars')
        .where('source', '=', 'process')
        .where('owner_id', 'in', (own) => own.selectFrom('processes').select('id').where('app_id', '=', id)),
    )
    .with('assignments', (gone) => gone.deleteFrom('role_assignments').where('context_id', '=', id))
    .with('limits', (gone) => gone.deleteFrom('quotas').where('subject', '=', 'app').where('subject_id', '=', id))
    .with('work', (ended) =>
      ended
        .updateTable('operations')
        .set({ status: 'cancelled', cancel_requested: true, finished_at: sql<Date>`clock_timestamp()` })
        .where('app_id', '=', id)
        .where('status', 'in', ['queued', 'running'])
        .where('kind', '!=', 'delete'),
    )
    .deleteFrom('apps')
    .where('id', '=', id)
    .execute();
}
