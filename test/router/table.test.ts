import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { indexTable, match, rewriteTarget } from '../../src/router/table.ts';
import { route, routeBackend } from './support/router-harness.ts';

const label = fc.stringMatching(/^[a-z0-9]{1,4}$/);
const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
const path = fc.array(label, { maxLength: 4 }).map((segments) => `/${segments.join('/')}`);
const anyRoute = fc.record({ host, wild: fc.boolean(), path }).map((each) => ({
  host: each.wild ? `*.${each.host}` : each.host,
  pathPrefix: each.path,
}));

/** The rule said plainly: of all routes that cover, the most exact host wins, then the longest prefix. */
function plainMatch(
  routes: readonly { host: string; pathPrefix: string }[],
  asked: string,
  askedPath: string,
): string | null {
  const covering = routes.filter(
    (each) =>
      (each.host.startsWith('*.')
        ? asked.endsWith(each.host.slice(1)) && asked !== each.host.slice(1)
        : asked === each.host) &&
      (each.pathPrefix === '/' || askedPath === each.pathPrefix || askedPath.startsWith(`${each.pathPrefix}/`)),
  );
  const rank = (each: { host: string; pathPrefix: string }): number =>
    (each.host.startsWith('*.') ? each.host.length : 1000) * 1000 + each.pathPrefix.length;
  const best = covering.toSorted((a, b) => rank(b) - rank(a))[0];
  return best === undefined ? null : `${best.host}${best.pathPrefix}`;
}

test('match finds what the plain rule finds', () => {
  fc.assert(
    fc.property(fc.array(anyRoute, { maxLength: 12 }), host, path, fc.nat(20), (routes, anyHost, anyPath, pick) => {
      // Half of the time a host and path near a route, or nothing would ever match.
      const near = routes[pick];
      const asked = near === undefined ? anyHost : near.host.replace('*', anyHost);
      const askedPath = near === undefined ? anyPath : `${near.pathPrefix === '/' ? '' : near.pathPrefix}${anyPath}`;
      const index = indexTable({
        version: 1,
        routes: routes.map((each) => route(each.host, 'a', each.pathPrefix)),
        backends: [routeBackend('a', [])],
        certificates: [],
      });
      const found = match(index, asked, askedPath);
      const expected = plainMatch(routes, asked, askedPath);
      assert.equal(found === null ? null : `${found.route.host}${found.route.pathPrefix}`, expected);
    }),
  );
});

test('a prefix is replaced with its slashes kept whole', () => {
  const cases = [
    ['/', null, '/x?y', '/x?y'],
    ['/api', '/', '/api', '/'],
    ['/api', '/', '/api?x=1', '/?x=1'],
    ['/api', '/', '/api/y', '/y'],
    ['/api', '/v2/', '/api/y', '/v2/y'],
    ['/', '/base', '/y', '/base/y'],
    ['/api', '/api', '/api', '/api'],
  ] as const;
  for (const [prefix, replacement, target, expected] of cases)
    assert.equal(
      rewriteTarget(route('a', 'a', prefix, replacement), target),
      expected,
      `${prefix} ${replacement} ${target}`,
    );
});

test('routes to backends that are not in the table match nothing', () => {
  const index = indexTable({ version: 1, routes: [route('a', 'gone')], backends: [], certificates: [] });
  assert.equal(match(index, 'a', '/'), null);
});
