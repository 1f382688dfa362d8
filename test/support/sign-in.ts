import assert from 'node:assert/strict';
import type { Actor } from '../../src/core/access/actor.ts';
import type { Core } from '../../src/core/core.ts';
import { BerthError, type ErrorKind } from '../../src/core/errors.ts';

/** A way to look an actor up anew, as with each request. */
export async function signIn(core: Core, actor: Actor): Promise<() => Promise<Actor>> {
  const { text } = await core.authenticator.issue({
    kind: 'session',
    name: 'again',
    userId: actor.userId,
    teamId: null,
    lifetimeMs: null,
  });
  return () => core.authenticator.byToken(text.reveal());
}

/** For `assert.rejects`: an error of the catalogue, of this kind and code. */
export const refusedAs =
  (kind: ErrorKind, code?: string) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof BerthError, String(error));
    assert.equal(error.kind, kind, error.message);
    if (code !== undefined) assert.equal(error.details.code, code);
    return true;
  };
