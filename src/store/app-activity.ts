import { type Kysely, sql } from 'kysely';
import type { AppActivity } from '../core/apps/app-activity.ts';
import type { Id } from '../core/names.ts';
import type { OperationKind } from '../core/operations/operation.ts';
import type { Release } from '../core/releases/release.ts';
import type { Schema } from './schema.ts';

interface Row {
  readonly appId: Id<'app'>;
  readonly ready: number;
  readonly crashed: number;
  readonly openOperations: readonly OperationKind[];
  readonly pendingRelease: Release['kind'] | null;
  readonly buildId: Id<'build'> | null;
  readonly deployedAt: Date | null;
  readonly deployedBy: string | null;
}

/** One statement for many apps; each part of it goes by an index on the app. */
export async function activityOf(db: Kysely<Schema>, ids: readonly Id<'app'>[]): Promise<readonly AppActivity[]> {
  const { rows } = await sql<Row>`
    select apps.id as "appId", coalesce(living.ready, 0)::int as ready, coalesce(living.crashed, 0)::int as crashed,
      array(select distinct kind from operations
        where operations.app_id = apps.id and status in ('queued', 'running') order by kind)::text[] as "openOperations",
      (select kind from releases where releases.app_id = apps.id and status = 'pending'
        order by version desc limit 1) as "pendingRelease",
      live.build_id as "buildId",
      case when live.id is null then null else coalesce(builds.finished_at, apps.released_at, live.created_at) end
        as "deployedAt",
      coalesce(builds.created_by, live.created_by) as "deployedBy"
    from apps
    left join lateral (
      select count(*) filter (where state = 'ready') as ready,
        count(*) filter (where state = 'crashed' or (state = 'starting' and restarts > 0)) as crashed
      from instances where instances.app_id = apps.id) as living on true
    left join releases as live on live.id = apps.current_release_id
    left join builds on builds.id = live.build_id
    where apps.id = any(${ids}::uuid[])`.execute(db);
  return rows.map(({ buildId, deployedAt, deployedBy, ...activity }) => ({
    ...activity,
    deployed: deployedAt === null || deployedBy === null ? null : { buildId, at: deployedAt, by: deployedBy },
  }));
}
