/** What needs no wire: statuses, aliases, pages, tickets, addresses in answers, container sizes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AppActivity } from '../../../src/core/apps/app-activity.ts';
import { idBounds, shortId } from '../../../src/core/names.ts';
import { Secret } from '../../../src/core/ports/secret.ts';
import { issueTicket, readTicket } from '../../../src/dialects/scalingo/access-ticket.ts';
import { resolveAlias } from '../../../src/dialects/scalingo/aliases.ts';
import { appStatus } from '../../../src/dialects/scalingo/app-status.ts';
import { baseUrlOf } from '../../../src/dialects/scalingo/base-url.ts';
import { archiveOf } from '../../../src/dialects/scalingo/git-source.ts';
import { gitUrl } from '../../../src/dialects/scalingo/links.ts';
import { pageAsked, pageMeta, pageOf } from '../../../src/dialects/scalingo/pages.ts';
import { shownSize } from '../../../src/dialects/scalingo/sizes.ts';
import { testBox } from '../../support/postgres.ts';

const app = { stopped: false, maintenance: false };
const quiet: AppActivity = {
  appId: 'a',
  ready: 0,
  crashed: 0,
  openOperations: [],
  pendingRelease: null,
  deployed: { buildId: null, at: new Date(0), by: 'ann' },
};
const status = (activity: Partial<AppActivity>, quantity = 1, change: Partial<typeof app> = {}): string =>
  appStatus({ ...app, ...change }, [{ quantity, stopped: false }], { ...quiet, ...activity });

test('a status says what runs', () => {
  assert.equal(appStatus(app, [], undefined), 'new');
  assert.equal(status({ deployed: null, openOperations: ['scale'] }), 'new', 'nothing was ever deployed');
  assert.equal(status({ deployed: null, pendingRelease: 'deploy' }), 'booting');
  assert.equal(status({ ready: 1 }), 'running');
  assert.equal(status({ ready: 1, crashed: 3 }), 'running');
  assert.equal(status({ crashed: 1 }), 'crashed');
  assert.equal(status({}), 'booting');
  assert.equal(status({}, 0), 'stopped');
  assert.equal(status({}, 1, { stopped: true }), 'stopped');
  assert.equal(status({ crashed: 1 }, 1, { maintenance: true }), 'stopped');
  assert.equal(status({ ready: 1, openOperations: ['restart', 'scale'] }), 'restarting');
  assert.equal(status({ ready: 1, openOperations: ['scale'] }), 'scaling');
  assert.equal(status({ ready: 1, pendingRelease: 'rollback' }), 'booting');
  assert.equal(status({ ready: 1, pendingRelease: 'config', openOperations: ['deploy', 'build'] }), 'running');
});

test('an alias is followed to its end, and stays where it leads nowhere', () => {
  const values = new Map([
    ['URL', 'redis://x'],
    ['ONE', '$URL'],
    ['LOOP', '$POOL'],
    ['POOL', '$LOOP'],
  ]);
  assert.equal(resolveAlias('$ONE', values), 'redis://x');
  assert.equal(resolveAlias('$MISSING', values), '$MISSING');
  assert.equal(resolveAlias('$LOOP', values), '$LOOP');
  for (const value of ['a $URL', '$URL ', '$1', '$', '', '$$URL', '$URL\n'])
    assert.equal(resolveAlias(value, values), value, JSON.stringify(value));
});

test('pages by number, with the meta in both forms', () => {
  const asked = pageAsked({ query: { page: '4', per_page: '20' } }, { usual: 10, max: 50 });
  assert.deepEqual(asked, { page: 4, perPage: 20 });
  const keys = { current_page: 4, prev_page: 3, next_page: 5, total_pages: 12, total_count: 240 };
  assert.deepEqual(pageMeta(asked, 240), { ...keys, pagination: keys });
  assert.deepEqual(pageAsked({ query: {} }, { usual: 10, max: 50 }), { page: 1, perPage: 10 });
  for (const query of [
    { page: '0', per_page: '0' },
    { page: '0', per_page: '1' },
  ])
    assert.deepEqual(pageAsked({ query }, { usual: 10, max: 50 }), { page: 1, perPage: 1 });
  assert.deepEqual(pageAsked({ query: { page: 'x', per_page: '1000' } }, { usual: 10, max: 50 }), {
    page: 1,
    perPage: 50,
  });
  const empty = pageOf([], { page: 1, perPage: 10 });
  assert.deepEqual(
    [empty.items, empty.meta.total_pages, empty.meta.prev_page, empty.meta.next_page],
    [[], 1, null, null],
  );
  const beyond = pageOf([1, 2, 3], { page: 9, perPage: 2 });
  assert.deepEqual([beyond.items, beyond.meta.prev_page, beyond.meta.next_page], [[], 2, null]);
  assert.deepEqual(pageOf([1, 2, 3], { page: 2, perPage: 2 }).items, [3]);
});

test('a ticket stands for its token until it runs out, and for nothing when anything of it was changed', () => {
  const now = new Date('2026-01-01T00:00:00Z');
  const ticket = issueTicket(testBox, { tokenId: 'the token', userId: 'u', now, nonce: 'n' });
  const later = (seconds: number): Date => new Date(now.getTime() + seconds * 1000);
  assert.equal(readTicket(testBox, ticket, later(3599)), 'the token');
  assert.equal(readTicket(testBox, ticket, later(3600)), null);
  const [header = '', claims = '', signed = ''] = ticket.reveal().split('.');
  const { exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { exp: unknown };
  assert.equal(exp, later(3600).getTime() / 1000);
  const forged = Buffer.from(JSON.stringify({ exp: 9e9, token_id: 'other' })).toString('base64url');
  const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url');
  const swapped = `${signed.startsWith('A') ? 'B' : 'A'}${signed.slice(1)}`;
  for (const text of [
    `${header}.${forged}.${signed}`,
    `${header}.${claims}.${swapped}`,
    `${header}.${claims}.`,
    `${none}.${claims}.${signed}`,
    `${none}.${forged}.`,
    'abc',
    '',
  ])
    assert.equal(readTicket(testBox, new Secret(text), now), null, text);
});

test('a short id stands for the ids that begin with it', () => {
  const id = '123e4567-e89b-42d3-a456-426655440000';
  assert.equal(shortId(id), '123e4567e89b42d3a4564266');
  assert.deepEqual(idBounds(shortId(id)), [
    '123e4567-e89b-42d3-a456-426600000000',
    '123e4567-e89b-42d3-a456-4266ffffffff',
  ]);
  assert.deepEqual(idBounds(id), [id, id]);
  for (const text of ['', 'example-app', '123E4567E89B42D3A4564266', '123e4567e89b42d3a456426', `${shortId(id)}0`])
    assert.equal(idBounds(text), null, text);
});

test('URLs in answers lead where the request came from', () => {
  const of = (host: string | undefined, scheme?: string): string =>
    baseUrlOf({ ...(host === undefined ? {} : { host }), 'x-forwarded-proto': scheme }, 'http://fallback');
  assert.equal(of('127.0.0.1:7704'), 'http://127.0.0.1:7704');
  assert.equal(of('api.example.org', 'https'), 'https://api.example.org');
  assert.equal(of('[::1]:7704'), 'http://[::1]:7704');
  for (const host of [undefined, '', 'a b', 'evil.test/x', 'user@host', 'x:99999999', '-x'])
    assert.equal(of(host), 'http://fallback', host);
});

test('a repository is named as git takes it: the short form has no place for a port', () => {
  assert.equal(gitUrl({ sshAddress: 'git.example.org:22' }, 'my-app'), 'git@git.example.org:my-app.git');
  assert.equal(gitUrl({ sshAddress: '127.0.0.1:7722' }, 'my-app'), 'ssh://git@127.0.0.1:7722/my-app.git');
});

test('sizes go by their memory; what this API has no name for keeps its own', () => {
  const size = (mebibytes: number): string => shownSize({ memoryBytes: mebibytes * 1024 * 1024, name: 'own' });
  assert.deepEqual([256, 512, 1024, 1536, 2048, 4096].map(size), ['S', 'M', 'L', 'own', 'XL', '2XL']);
});

test('a repository or an archive is found from the address of either', () => {
  const archives: Readonly<Record<string, string>> = {
    'https://github.com/Scalingo/sample-app': 'https://github.com/Scalingo/sample-app/archive/HEAD.tar.gz',
    'https://github.com/Scalingo/sample.app.git': 'https://github.com/Scalingo/sample.app/archive/HEAD.tar.gz',
    'https://github.com/a/b/tree/fix/one/': 'https://github.com/a/b/archive/fix/one.tar.gz',
    'https://gitlab.com/a/b/c': 'https://gitlab.com/a/b/c/-/archive/HEAD/c-HEAD.tar.gz',
    'https://gitlab.com/a/c.git': 'https://gitlab.com/a/c/-/archive/HEAD/c-HEAD.tar.gz',
    'https://gitlab.com/a/c/-/tree/fix/one': 'https://gitlab.com/a/c/-/archive/fix/one/c-fix-one.tar.gz',
    'http://files.test/app.tgz?key=x': 'http://files.test/app.tgz?key=x',
  };
  for (const [source, archive] of Object.entries(archives)) assert.equal(archiveOf(source), archive, source);
  for (const source of [
    'git@github.com:a/b.git',
    'ftp://files.test/app.tgz',
    'file:///etc/passwd.tgz',
    'https://github.com/a',
    'https://github.com/a/b/issues/1',
    'https://example.org/a/b',
    'app.tgz',
  ])
    assert.throws(() => archiveOf(source), { status: 422 }, source);
});
