/** Who reads a stream, looked up anew as long as it goes on: a stream ends with its reader's rights. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Actor } from '../../../core/access/actor.ts';
import type { AppView } from '../../../core/apps/app.ts';
import type { Core } from '../../../core/core.ts';
import { unauthenticated } from '../../../core/errors.ts';
import type { Team } from '../../../core/teams/team.ts';
import { forbiddenHere } from '../errors.ts';
import { orNull } from '../scope.ts';
import type { StreamGrant } from './stream-tokens.ts';

export interface StreamReader {
  readonly actor: Actor;
  readonly team: Team;
}

/** Throws `unauthenticated` when the user is gone or disabled, 403 when the organization is no longer the user's. */
export async function readerOf(core: Core, grant: Pick<StreamGrant, 'userId' | 'teamId'>): Promise<StreamReader> {
  const actor = await core.authenticator.byUser(grant.userId);
  if (actor === null) throw unauthenticated();
  const team = await orNull(core.teams.get(actor, grant.teamId));
  if (team === null) throw forbiddenHere();
  return { actor, team };
}

/** Whether the reader may still read of the app what the stream is of. */
export async function mayRead(core: Core, kind: StreamGrant['kind'], actor: Actor, app: AppView): Promise<boolean> {
  const asked =
    kind === 'logs' ? core.logs.read(actor, app.id, { lines: 0, follow: false }) : core.instances.stats(actor, app.id);
  return (await orNull<unknown>(asked)) !== null;
}

/** Checks every so often until a check throws, and gives what it threw, or until the signal aborts. */
export async function watchAccess(
  check: () => Promise<void>,
  everyMs: number,
  signal: AbortSignal,
): Promise<{ readonly lost: unknown } | null> {
  for (;;) {
    await wait(everyMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return null;
    try {
      await check();
    } catch (lost) {
      return { lost };
    }
  }
}
