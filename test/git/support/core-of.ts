/** People beside a platform that runs, with tokens and keys: for what no API of it offers yet. */
import type { TestContext } from 'node:test';
import { type Actor, systemActor } from '../../../src/core/access/actor.ts';
import type { Core } from '../../../src/core/core.ts';
import { testPassword } from '../../support/core.ts';
import type { TestPlatform } from '../../support/platform.ts';
import { platformCore } from '../../support/platform-core.ts';

export interface CoreBeside {
  readonly core: Core;
  /** The platform's administrator. */
  readonly admin: Actor;
  /** A new user in a new team of the same name; gives a token of theirs. */
  person(name: string): Promise<{ readonly actor: Actor; readonly token: string }>;
}

export async function coreBeside(t: Pick<TestContext, 'after'>, platform: TestPlatform): Promise<CoreBeside> {
  const { core } = await platformCore(t, platform);
  return {
    core,
    admin: await core.authenticator.byToken(platform.token),
    async person(name) {
      const user = await core.users.create(systemActor, {
        username: name,
        email: `${name}@berth.test`,
        password: testPassword,
      });
      const { text } = await core.authenticator.issue({
        kind: 'personal',
        name: 'test',
        userId: user.id,
        teamId: null,
        lifetimeMs: null,
      });
      const token = text.reveal();
      await core.teams.create(await core.authenticator.byToken(token), { name });
      core.authenticator.forget();
      return { actor: await core.authenticator.byToken(token), token };
    },
  };
}
