/** What a new install needs before anybody can sign in. Safe to run at every boot and by two servers at once. */
import { writeFile } from 'node:fs/promises';
import { postgresService } from '../addons/postgres/default-service.ts';
import { systemActor } from '../core/access/actor.ts';
import type { Core } from '../core/core.ts';
import { spaceName, teamName } from '../core/names.ts';
import type { CoreContext } from '../core/ports/core-context.ts';
import type { Stores } from '../core/ports/database.ts';
import { Secret } from '../core/ports/secret.ts';
import { defaultSizes } from '../core/sizes/default-sizes.ts';
import type { User } from '../core/users/user.ts';
import type { Settings } from './settings.ts';

/** The id that Akkeris clients expect of the space `default`. */
const DEFAULT_SPACE = '565c9b0c-986e-455b-93c8-a146d8d49132';
const DEFAULT_TEAM = 'main';

/** Pool, sizes, space, and the administrator; writes admin.json when it makes the administrator. Gives true at the first boot. */
export async function firstBoot(
  context: CoreContext,
  core: Core,
  settings: Settings,
  adminFile: string,
): Promise<boolean> {
  const { db } = context;
  await db.transaction((stores) => seed(context, stores, settings));
  if ((await db.users.count()) > 0) return false;
  const password = settings.adminPassword ?? new Secret(context.ids.token(16));
  const tokenText = settings.adminToken ?? new Secret(context.ids.token(24));
  const admin = await core.users.create(systemActor, {
    username: settings.adminUsername,
    email: settings.adminEmail,
    name: 'Administrator',
    password,
  });
  await grantEverything(context, admin);
  await core.authenticator.issue({
    kind: 'personal',
    name: 'admin.json',
    userId: admin.id,
    teamId: null,
    lifetimeMs: null,
    text: tokenText,
  });
  const shown = {
    username: admin.username,
    email: admin.email,
    password: password.reveal(),
    token: tokenText.reveal(),
  };
  await writeFile(adminFile, `${JSON.stringify(shown, null, 2)}\n`, { mode: 0o600 });
  return true;
}

async function seed(context: CoreContext, stores: Stores, settings: Settings): Promise<void> {
  const now = context.clock.now();
  const known = await stores.pools.findDefault();
  // The setting decides at each start which engine runs the default pool.
  if (known !== null && known.engine !== settings.engine)
    await stores.pools.update(known.id, { engine: settings.engine });
  if (known === null) {
    await stores.pools.insert({
      id: context.ids.id(),
      name: 'default',
      engine: settings.engine,
      isDefault: true,
      createdAt: now,
    });
  }
  const pool = await stores.pools.findDefault();
  if ((await stores.sizes.list()).length === 0)
    for (const size of defaultSizes(() => context.ids.id())) await stores.sizes.insert(size);
  const { service, plans } = postgresService(() => context.ids.id(), now);
  if ((await stores.services.find(service.name)) === null) await stores.services.insert(service, plans, null);
  if (pool !== null && (await stores.spaces.find('default', null)) === null) {
    await stores.spaces.insert({
      id: DEFAULT_SPACE,
      name: spaceName('default'),
      teamId: null,
      poolId: pool.id,
      description: '',
      compliance: [],
      createdAt: now,
      updatedAt: now,
    });
  }
}

async function grantEverything({ db, ids, clock }: CoreContext, admin: User): Promise<void> {
  await db.transaction(async (stores) => {
    const role = {
      id: ids.id(),
      name: 'administrator',
      context: 'global' as const,
      description: 'May do everything',
      permissions: [''],
    };
    await stores.roles.insert(role);
    await stores.roles.assign({ roleId: role.id, subject: 'user', subjectId: admin.id, contextId: null });
    const now = clock.now();
    const team = { id: ids.id(), name: teamName(DEFAULT_TEAM), description: '', createdAt: now, updatedAt: now };
    await stores.teams.insert(team);
    await stores.teams.addMember({ teamId: team.id, userId: admin.id, createdAt: now });
  });
}
