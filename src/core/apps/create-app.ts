/** How an app comes to be, with all that it is made of: in one transaction, or not at all. */
import type { Actor } from '../access/actor.ts';
import { demand } from '../access/authorize.ts';
import { type AddDomain, newDomain } from '../domains/new-domain.ts';
import { BerthError, invalid, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { appName, type Handle, handle, type Id } from '../names.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Stores } from '../ports/database.ts';
import { Secret } from '../ports/secret.ts';
import { type CreateProcess, insertProcess } from '../processes/new-process.ts';
import { limitOf } from '../quotas/quota.ts';
import type { Space } from '../spaces/space.ts';
import type { Team } from '../teams/team.ts';
import { type App, handleFor } from './app.ts';

export interface CreateApp {
  readonly name: string;
  /** Team name or id. */
  readonly team: string;
  readonly spaceId: Id<'space'>;
  readonly description?: string;
  readonly labels?: readonly string[];
  readonly features?: Readonly<Record<string, boolean>>;
  /** Runs nothing until it is started. */
  readonly stopped?: boolean;
  readonly processes?: readonly CreateProcess[];
  readonly domains?: readonly AddDomain[];
  /** Names to texts; see AnnotationService. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Variables that exist from the start are set by ConfigService. */
}

const DESCRIPTION_MAX = 4_096;
const HANDLE_MAX = 63;

/** Throws invalid for a description that is too long. */
export function checkDescription(description: string | undefined): void {
  if (description !== undefined && description.length > DESCRIPTION_MAX)
    throw invalid('description', `the description is longer than ${DESCRIPTION_MAX} characters`, 'too-long');
}

/** Needs `app.create` in the team. Throws conflict `app-exists`, `domain-exists`, quota `apps`. Gives the id. `last` is the transaction's end. */
export async function createApp(
  context: CoreContext,
  baseDomain: string,
  actor: Actor,
  input: CreateApp,
  last: (stores: Stores, id: Id<'app'>) => Promise<void> = async () => {},
): Promise<Id<'app'>> {
  const { db, clock, ids } = context;
  const team = await db.teams.find(input.team);
  if (team === null) throw notFound('team', input.team);
  demand(actor, 'app.create', { teamId: team.id });
  const space = await db.spaces.find(input.spaceId, null);
  if (space === null || (space.teamId !== null && space.teamId !== team.id)) throw notFound('space', input.spaceId);
  checkDescription(input.description);
  const name = appName(input.name);
  const now = clock.now();
  const id: Id<'app'> = ids.id();
  await db.transaction(async (stores) => {
    await checkAppQuota(context, stores, team.id);
    const app: App = {
      id,
      name,
      handle: await freeHandle(stores, name, space, team, id),
      teamId: team.id,
      spaceId: space.id,
      poolId: space.poolId,
      description: input.description ?? '',
      labels: input.labels ?? [],
      features: input.features ?? {},
      maintenance: false,
      stopped: input.stopped ?? false,
      restartGeneration: 0,
      currentReleaseId: null,
      createdBy: actor.name,
      createdAt: now,
      updatedAt: now,
      releasedAt: null,
      deletedAt: null,
    };
    await stores.apps.insert(app);
    for (const process of input.processes ?? []) await insertProcess(context, stores, id, process);
    for (const domain of input.domains ?? []) await stores.domains.insert(newDomain(context, baseDomain, id, domain));
    for (const [key, value] of Object.entries(input.annotations ?? {}))
      await stores.annotations.set(id, key, new Secret(value), now);
    await record(context, stores, actor, 'AppCreated', { app });
    await stores.wake('routing', id);
    await last(stores, id);
  });
  return id;
}

/**
 * `<name>-<space>`. Spaces of different teams may have one name, and so may the apps in them: there the team's name, and at last a part of
 * the id, tell handles apart.
 */
export async function freeHandle(stores: Stores, name: string, space: Space, team: Team, id: string): Promise<Handle> {
  const plain = handleFor(name, space.name);
  if (space.teamId === null) return handle(plain, 'name');
  const teamLabel = team.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  const candidates = [plain, `${plain}-${teamLabel}`]
    .map((text) => text.replace(/-+$/, ''))
    .filter((text) => text.length <= HANDLE_MAX);
  const taken = await stores.apps.handlesTaken(candidates);
  const last = `${name.slice(0, HANDLE_MAX - 9).replace(/-+$/, '')}-${id.slice(0, 8)}`;
  return handle(candidates.find((candidate) => !taken.has(candidate)) ?? last, 'name');
}

/** Throws quota `apps` when the team has as many as it may. */
export async function checkAppQuota(context: CoreContext, stores: Stores, teamId: Id<'team'>): Promise<void> {
  const limit = await limitOf(context, stores, { subject: 'team', subjectId: teamId, kind: 'apps' });
  if (limit < 0) return;
  if ((await stores.apps.count(teamId)) >= limit)
    throw new BerthError('quota', `the team's quota of ${limit} apps is reached`, { code: 'apps' });
}
