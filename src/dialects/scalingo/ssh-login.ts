/** `scalingo login --ssh`: who has shown a key at the SSH door gets a token over the same connection. */
import type { Actor } from '../../core/access/actor.ts';
import { forbidden } from '../../core/errors.ts';
import { issueTicket } from './access-ticket.ts';
import { SESSION_MS, SESSION_NAME } from './sessions.ts';
import type { ScalingoParts } from './settings.ts';

/** Gives an API token, or, to clients that say so, one of `tokens/exchange`. Throws `forbidden` for an actor that is no user. */
export function sshLogin({
  core,
  box,
  clock,
  ids,
}: Pick<ScalingoParts, 'core' | 'box' | 'clock' | 'ids'>): (actor: Actor, kind: 'token' | 'bearer') => Promise<string> {
  return async (actor, kind) => {
    if (actor.userId === null) throw forbidden('only a user can sign in by a key', 'no-user');
    const { token, text } = await core.authenticator.issue({
      kind: 'session',
      name: SESSION_NAME,
      userId: actor.userId,
      teamId: null,
      lifetimeMs: SESSION_MS,
    });
    if (kind === 'token') return text.reveal();
    const ticket = { tokenId: token.id, userId: actor.userId, now: clock.now(), nonce: ids.id() };
    return issueTicket(box, ticket).reveal();
  };
}
