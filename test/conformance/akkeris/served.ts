/** The Akkeris dialect as it is served, over a real core (see support/served.ts). */
import assert from 'node:assert/strict';
import { after, before, type TestContext } from 'node:test';
import { akkerisDialect } from '../../../src/dialects/akkeris/index.ts';
import type { AkkerisParts } from '../../../src/dialects/akkeris/settings.ts';
import { type Answer, call, type ServedCore, serveCore } from '../../support/served.ts';

export { type Answer, call, finishBuild, PASSWORD } from '../../support/served.ts';

export interface Served extends Omit<ServedCore, 'parts' | 'listen'> {
  readonly url: string;
  readonly sharedUrl: string;
  readonly parts: AkkerisParts;
}

export async function serveAkkeris(t: Pick<TestContext, 'after'>): Promise<Served> {
  const { listen, ...served } = await serveCore(t);
  const parts: AkkerisParts = {
    ...served.parts,
    settings: {
      publicUrl: 'http://akkeris.test',
      appUrl: (handle) => `http://${handle}.apps.test:7780`,
      supportEmail: 'help@apps.test',
      sourceBodyBytes: 4 * 1024 * 1024,
    },
  };
  return { ...served, parts, ...(await listen(akkerisDialect(parts))) };
}

/** A served dialect for all tests of a suite, and calls as its administrator. To be called within the suite. */
export function servedForSuite() {
  const endings: (() => unknown)[] = [];
  let served: Served | null = null;
  before(async () => {
    served = await serveAkkeris({ after: (work) => void endings.push(work as () => unknown) });
  });
  after(async () => {
    for (const end of endings) await end();
  });
  const get = (): Served => {
    if (served === null) throw new Error('nothing is served yet');
    return served;
  };
  const admin = (method: string, path: string, body?: unknown): Promise<Answer> =>
    call(get().url, method, path, { as: `Bearer ${get().tokens.admin}`, body });
  /** Makes an app of the team `main`; gives its path. */
  async function newApp(name: string, space = 'default'): Promise<string> {
    const answer = await admin('POST', '/apps', { name, space, org: 'main' });
    assert.equal(answer.status, 201, answer.text);
    return `/apps/${name}-${space}`;
  }
  return { get, admin, newApp };
}
