import type { Actor } from '../../core/access/actor.ts';
import type { Core } from '../../core/core.ts';
import { BerthError } from '../../core/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { orNull } from './scope.ts';

/** Every user owns an organization of the user's name; it is made when it is first looked for. A name that is another's stays so. */
export async function ensureOwnOrganization(core: Core, actor: Actor, logger: Logger): Promise<void> {
  if (actor.userId === null || (await orNull(core.teams.get(actor, actor.name))) !== null) return;
  try {
    await core.teams.create(actor, { name: actor.name });
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    logger.debug({ err: error, user: actor.name }, 'a user has no organization of the own name');
  }
}
