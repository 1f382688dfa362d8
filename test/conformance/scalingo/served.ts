/** The Scalingo dialect as it is served, over a real core (see support/served.ts). */
import { after, before, type TestContext } from 'node:test';
import { systemActor } from '../../../src/core/access/actor.ts';
import type { AddonProviders } from '../../../src/core/ports/addon-provider.ts';
import { Secret } from '../../../src/core/ports/secret.ts';
import { scalingoDialect } from '../../../src/dialects/scalingo/index.ts';
import type { ScalingoParts, ScalingoSettings } from '../../../src/dialects/scalingo/settings.ts';
import { type Answer, call, PASSWORD, type ServedCore, serveCore } from '../../support/served.ts';

export { type Answer, call, finishBuild, PASSWORD } from '../../support/served.ts';

export interface ServedScalingo extends Omit<ServedCore, 'parts' | 'listen'> {
  readonly url: string;
  readonly sharedUrl: string;
  readonly parts: ScalingoParts;
}

export async function serveScalingo(
  t: Pick<TestContext, 'after'>,
  settings: Partial<ScalingoSettings> = {},
  addonProviders: AddonProviders = {},
): Promise<ServedScalingo> {
  const { listen, ...served } = await serveCore(t, addonProviders);
  const parts: ScalingoParts = {
    ...served.parts,
    settings: {
      publicUrl: 'http://scalingo.test',
      appUrl: (handle) => `http://${handle}.apps.test:7780`,
      sshAddress: 'ssh.test:2222',
      regionName: 'here',
      signUp: false,
      sourceBytes: 4 * 1024 * 1024,
      billingUrl: 'http://scalingo.test/billing',
      ...settings,
    },
  };
  return { ...served, parts, ...(await listen(scalingoDialect(parts))) };
}

/** As the command line client sends it: no name, and the token as the password. */
export const basic = (token: string): string => `Basic ${Buffer.from(`:${token}`).toString('base64')}`;

/** What the older clients send where they have no token. */
export const EMPTY_BASIC = 'Basic Og==';

export type Send = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;

let people = 0;

/** A served dialect for all tests of a suite, and calls as people. Paths are below `/v1`. To be called within the suite. */
export function servedForSuite(settings: Partial<ScalingoSettings> = {}) {
  const endings: (() => unknown)[] = [];
  let served: ServedScalingo | null = null;
  before(async () => {
    served = await serveScalingo({ after: (work) => void endings.push(work as () => unknown) }, settings);
  });
  after(async () => {
    for (const end of endings) await end();
  });
  const get = (): ServedScalingo => {
    if (served === null) throw new Error('nothing is served yet');
    return served;
  };
  const as =
    (authorization: string | undefined): Send =>
    (method, path, body, headers) =>
      call(get().url, method, `/v1${path}`, {
        ...(authorization === undefined ? {} : { as: authorization }),
        ...(body === undefined ? {} : { body }),
        ...(headers === undefined ? {} : { headers }),
      });
  /** Signed in as somebody new, who owns nothing yet. */
  async function person(): Promise<{
    readonly username: string;
    readonly email: string;
    readonly token: string;
    readonly send: Send;
  }> {
    people += 1;
    const username = `person${people}`;
    const email = `${username}@example.com`;
    await get().core.users.create(systemActor, { username, email, password: new Secret(PASSWORD) });
    const answer = await as(undefined)('POST', '/users/sign_in', { user: { login: email, password: PASSWORD } });
    const token = answer.json<{ authentication_token: string }>().authentication_token;
    return { username, email, token, send: as(basic(token)) };
  }
  return { get, as, person };
}
