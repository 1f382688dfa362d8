/**
 * Walks every route of a dialect with every kind of caller: nobody, another team's member, a member, an administrator. A route that is
 * not listed fails, and so does a listed one that is gone. Another team's things answer as if they were not there.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idBounds } from '../../src/core/names.ts';
import { call, type ServedCore } from '../support/served.ts';

export interface Expected {
  readonly body?: unknown;
  /** What a member of the app's team gets, and an administrator too unless said otherwise. */
  readonly member: number;
  readonly stranger: number;
  readonly admin?: number;
  /** The answer without credentials; 401 unless the route is public. */
  readonly nobody?: number;
}

export interface RouteWalk {
  /** Known when the tests run. */
  readonly served: () => Pick<ServedCore, 'tokens'> & { readonly url: string };
  readonly known: () => readonly { readonly method: string; readonly path: string }[];
  readonly expected: Readonly<Record<string, Expected>>;
  /** The whole `Authorization` header. */
  readonly authorization: (token: string) => string;
  /** Everything that a path may name, in the team `acme`; gives what the parameters stand for. */
  readonly setUp: () => Promise<Record<string, string>>;
  /** Back to before `setUp`, with what the call under test has made gone too. */
  readonly tearDown: () => Promise<void>;
  /** Whether the answer to a caller without credentials is as it should be; by default it says nothing at all. */
  readonly bare?: (text: string) => boolean;
}

/** Adds the tests; to be called within a suite. */
export function walkRoutes(walk: RouteWalk): void {
  test('every route is listed here, and every listed one exists', () => {
    const known = walk.known().map(({ method, path }) => `${method} ${path}`);
    assert.deepEqual(known.toSorted(), Object.keys(walk.expected).toSorted());
    assert.equal(new Set(known).size, known.length, 'no route is there twice');
  });
  for (const [route, expected] of Object.entries(walk.expected)) {
    test(route, async () => {
      try {
        await walkOne(walk, route, expected);
      } finally {
        await walk.tearDown();
      }
    });
  }
}

async function walkOne(walk: RouteWalk, route: string, expected: Expected): Promise<void> {
  const { url, tokens } = walk.served();
  const [method = '', pattern = ''] = route.split(' ');
  const roles = {
    nobody: [undefined, expected.nobody ?? 401],
    stranger: [tokens.stranger, expected.stranger],
    member: [tokens.member, expected.member],
    admin: [tokens.admin, expected.admin ?? expected.member],
  } as const;
  let values: Record<string, string> | null = null;
  for (const [role, [token, status]] of Object.entries(roles)) {
    values ??= await walk.setUp();
    const known = values;
    const path = pattern.replace(/:(\w+)/g, (_whole, name: string) => known[name] ?? '');
    const answer = await call(url, method, path, {
      ...(token === undefined ? {} : { as: walk.authorization(token) }),
      ...(expected.body === undefined || method === 'GET' ? {} : { body: expected.body }),
    });
    assert.equal(answer.status, status, `${role}: ${answer.text}`);
    const bare = walk.bare ?? ((text: string) => text === '');
    if (role === 'nobody' && status === 401) assert.ok(bare(answer.text), answer.text);
    if (role === 'stranger') assertNothingShown(answer.text, path, values);
    // What was only read, or refused, is as it was.
    if (method === 'GET' || answer.status >= 400) continue;
    await walk.tearDown();
    values = null;
  }
}

/** Neither in a list nor in a refusal: no id, short or whole, of the other team's things, but for the one that was asked for. */
function assertNothingShown(text: string, path: string, values: Record<string, string>): void {
  for (const value of Object.values(values))
    if (idBounds(value) !== null && !path.includes(value)) assert.ok(!text.includes(value), text);
}
