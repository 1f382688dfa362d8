import { type Kysely, sql } from 'kysely';
import type { DeployedRelease, Deployment, DeploymentStore } from '../core/deployments/deployment.ts';
import { type Id, isId } from '../core/names.ts';
import { buildColumns } from './builds.ts';
import type { Schema } from './schema.ts';

const columns = buildColumns.filter((column) => column !== 'source').map((column) => `builds.${column}` as const);

/** Builds with their release: the first one, or the one that superseded it with the same build. */
const deployments = (db: Kysely<Schema>, appId: Id<'app'>) =>
  db
    .selectFrom('builds')
    .leftJoinLateral(
      (own) =>
        own
          .selectFrom('releases')
          .select(['releases.id', 'version', 'releases.status', 'releases.failure_code', 'releases.failure_message'])
          .select('releases.updated_at')
          .whereRef('releases.build_id', '=', 'builds.id')
          .where('kind', '<>', 'rollback')
          .orderBy((order) => order('releases.status', '=', 'superseded'))
          .orderBy('version')
          .limit(1)
          .as('release'),
      (join) => join.onTrue(),
    )
    .where('builds.app_id', '=', appId)
    .where((where) =>
      where.or([
        where('builds.status', '<>', 'succeeded'),
        where('builds.auto_release', '=', true),
        where('release.id', 'is not', null),
      ]),
    );

const whole = (db: Kysely<Schema>, appId: Id<'app'>) =>
  deployments(db, appId)
    // A token may have any name: only who works on the app is more than a name.
    .leftJoin('users', (join) =>
      join.onRef('users.username', '=', 'builds.created_by').on(
        sql<boolean>`(
          exists (select 1 from memberships m join apps a on a.team_id = m.team_id
            where m.user_id = users.id and a.id = builds.app_id)
          or exists (select 1 from collaborators c where c.user_id = users.id and c.app_id = builds.app_id)
        )`,
      ),
    )
    .select(columns)
    .select([
      'release.id as releaseId',
      'release.version as releaseVersion',
      'release.status as releaseStatus',
      'release.failure_code as releaseFailureCode',
      'release.failure_message as releaseFailureMessage',
      'release.updated_at as releaseUpdatedAt',
      'users.id as userId',
      'users.email as userEmail',
    ])
    .select((own) =>
      own
        .exists(own.selectFrom('instances').select('instances.id').whereRef('release_id', '=', 'release.id'))
        .as('hasInstances'),
    );

type Row = Awaited<ReturnType<ReturnType<typeof whole>['execute']>>[number];

function deploymentOf(row: Row): Deployment {
  const {
    releaseId,
    releaseVersion,
    releaseStatus,
    releaseFailureCode,
    releaseFailureMessage,
    releaseUpdatedAt,
    userId,
    userEmail,
    hasInstances,
    ...build
  } = row;
  const release: DeployedRelease | null =
    releaseId === null || releaseVersion === null || releaseStatus === null || releaseUpdatedAt === null
      ? null
      : {
          id: releaseId,
          version: releaseVersion,
          status: releaseStatus,
          failureCode: releaseFailureCode,
          failureMessage: releaseFailureMessage,
          updatedAt: releaseUpdatedAt,
        };
  const by = { id: userId, username: build.createdBy, email: userEmail ?? '' };
  return { build, release, hasInstances: hasInstances === true, by };
}

export function createDeploymentStore(db: Kysely<Schema>): DeploymentStore {
  return {
    async list(appId, { offset, limit }) {
      const [rows, counted] = await Promise.all([
        whole(db, appId).orderBy('builds.number', 'desc').offset(offset).limit(limit).execute(),
        deployments(db, appId).select(sql<number>`count(*)::int`.as('total')).executeTakeFirst(),
      ]);
      return { items: rows.map(deploymentOf), total: counted?.total ?? 0 };
    },
    async find(appId, buildId) {
      if (!isId(buildId)) return null;
      const row = await whole(db, appId).where('builds.id', '=', buildId).executeTakeFirst();
      return row === undefined ? null : deploymentOf(row);
    },
  };
}
