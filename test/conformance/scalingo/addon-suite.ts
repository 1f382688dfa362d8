/** The dialect served with providers that really make add-ons: databases on a server of the test's, and whoever is registered by manifest. */
import { after, before } from 'node:test';
import { createManifestProvider } from '../../../src/addons/manifest-provider/manifest-provider.ts';
import { postgresService } from '../../../src/addons/postgres/default-service.ts';
import { createPostgresProvider, POSTGRES_PROVIDER } from '../../../src/addons/postgres/postgres-provider.ts';
import { systemActor } from '../../../src/core/access/actor.ts';
import { Secret } from '../../../src/core/ports/secret.ts';
import { MANIFEST_PROVIDER } from '../../../src/core/services/catalogue-service.ts';
import { systemClock, systemIds } from '../../../src/lib/clock.ts';
import { createDialer } from '../../../src/lib/dialer.ts';
import { startProvider, type TestProvider } from '../../support/addon-provider.ts';
import { addonServer } from '../../support/addon-server.ts';
import { type Answer, call, PASSWORD } from '../../support/served.ts';
import { basic, type Send, type ServedScalingo, serveScalingo } from './served.ts';

export interface AddonOwner {
  readonly username: string;
  readonly email: string;
  readonly token: string;
  readonly send: Send;
  /** As `send`, and fails the test for an answer that is no success. */
  done(...request: Parameters<Send>): Promise<Answer>;
  /** An app of theirs; gives its id, and its path below `/v1`. */
  app(name: string): Promise<{ readonly uuid: string; readonly id: string; readonly path: string }>;
}

let people = 0;

/** To be called within the suite. The catalogue has `postgresql`. */
export function addonSuite() {
  const endings: (() => unknown)[] = [];
  let made: { served: ServedScalingo; provider: TestProvider } | null = null;
  before(async () => {
    const ending = { after: (work: unknown) => void endings.push(work as () => unknown) };
    const provider = await startProvider(ending);
    const dialer = createDialer({ allowPrivate: true, allow: [] });
    endings.push(() => dialer.close());
    const { server, port } = await addonServer();
    const postgres = createPostgresProvider({
      administrator: async () => server.connection,
      addressForApps: async () => ({ host: '127.0.0.1', port }),
      platformCluster: async () => null,
    });
    endings.push(() => postgres.close());
    const served = await serveScalingo(
      ending,
      {},
      { [POSTGRES_PROVIDER]: postgres, [MANIFEST_PROVIDER]: createManifestProvider(dialer) },
    );
    const { service, plans } = postgresService(() => systemIds.id(), systemClock.now());
    await served.db.services.insert(service, plans, null);
    made = { served, provider };
  });
  after(async () => {
    for (const end of endings.toReversed()) await end();
  });
  const get = (): NonNullable<typeof made> => {
    if (made === null) throw new Error('nothing is served yet');
    return made;
  };
  const as =
    (authorization: string | undefined): Send =>
    (method, path, body, headers) =>
      call(get().served.url, method, `/v1${path}`, {
        ...(authorization === undefined ? {} : { as: authorization }),
        ...(body === undefined ? {} : { body }),
        ...(headers === undefined ? {} : { headers }),
      });

  async function person(): Promise<AddonOwner> {
    people += 1;
    const username = `owner${people}`;
    const email = `${username}@example.com`;
    await get().served.core.users.create(systemActor, { username, email, password: new Secret(PASSWORD) });
    const answer = await as(undefined)('POST', '/users/sign_in', { user: { login: email, password: PASSWORD } });
    const token = answer.json<{ authentication_token: string }>().authentication_token;
    const send = as(basic(token));
    const done: AddonOwner['done'] = async (...request) => {
      const reply = await send(...request);
      if (reply.status >= 300) throw new Error(`${request[0]} ${request[1]}: ${reply.status} ${reply.text}`);
      return reply;
    };
    return {
      username,
      email,
      token,
      send,
      done,
      async app(name) {
        const { app } = (await done('POST', '/apps', { app: { name } })).json<{ app: { id: string; uuid: string } }>();
        return { uuid: app.uuid, id: app.id, path: `/apps/${name}` };
      },
    };
  }
  return { get, as, person };
}
