import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import ssh2 from 'ssh2';
import { gitError } from '../../src/git/git-program.ts';
import { parseGitPath } from '../../src/git/http-path.ts';
import { decide, parseUpdates } from '../../src/git/ref-updates.ts';
import { parseCommand } from '../../src/git/ssh/command.ts';
import { opensshEd25519 } from '../../src/git/ssh/openssh-key.ts';

const zeros = '0'.repeat(40);
const some = 'a1'.repeat(20);
const app = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,62}$/);
const service = fc.constantFrom('receive-pack' as const, 'upload-pack' as const);

test('a command of git is understood, as clients of every age send it', () => {
  fc.assert(
    fc.property(
      app,
      service,
      fc.constantFrom('', '/'),
      fc.constantFrom('', '.git'),
      fc.boolean(),
      (name, what, slash, end, quoted) => {
        const path = `${slash}${name}${end}`;
        assert.deepEqual(parseCommand(`git-${what} ${quoted ? `'${path}'` : path}`), { service: what, app: name });
      },
    ),
  );
});

test('no other command gets through, whatever it is made of', () => {
  const parts = [
    "'",
    '"',
    ' ',
    ';',
    '|',
    '&',
    '$(id)',
    '`id`',
    '\n',
    '\0',
    '..',
    '/',
    '-',
    '--',
    '~',
    '*',
    '\\',
    'git-receive-pack',
    'git-upload-pack',
    'git',
    'app.git',
    'a',
    '.git',
  ];
  const hostile = fc.array(fc.constantFrom(...parts), { maxLength: 12 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(
      fc.oneof(
        hostile,
        fc.string(),
        hostile.map((text) => `git-receive-pack '${text}'`),
      ),
      (text) => {
        const command = parseCommand(text);
        if (command === null) return;
        // What was accepted is one of the few spellings of a service and a name; nothing of the text is left over.
        assert.match(command.app, /^[a-z0-9][a-z0-9-]*$/);
        const spellings = ['', '/'].flatMap((slash) =>
          ['', '.git'].flatMap((end) => [`${slash}${command.app}${end}`, `'${slash}${command.app}${end}'`]),
        );
        assert.ok(
          spellings.some((path) => text === `git-${command.service} ${path}`),
          JSON.stringify(text),
        );
      },
    ),
    { numRuns: 5_000 },
  );
  for (const text of [
    "git-receive-pack 'a.git' ",
    "git-receive-pack '../a.git'",
    "git-receive-pack '-a.git'",
    "git-receive-pack --advertise-refs 'a.git'",
    "git receive-pack 'a.git'",
    "git-upload-archive 'a.git'",
    "git-receive-pack 'a.git';id",
    "git-receive-pack 'A.git'",
    "git-receive-pack ''",
    `git-receive-pack '${'a'.repeat(200)}'`,
  ])
    assert.equal(parseCommand(text), null, text);
});

test('a path names an app and a service below any mount', () => {
  fc.assert(
    fc.property(
      app,
      fc.constantFrom('', '/git', '/a/b'),
      fc.constantFrom('', '.git'),
      service,
      (name, mount, end, what) => {
        assert.deepEqual(parseGitPath(`${mount}/${name}${end}/info/refs`), { app: name, what: 'info' });
        assert.deepEqual(parseGitPath(`${mount}/${name}${end}/git-${what}`), { app: name, what });
      },
    ),
  );
  for (const path of [
    '/',
    '/git/a.git',
    '/git/a.git/HEAD',
    '/git/a.git/objects/info/packs',
    '/git/-a.git/info/refs',
    '/git/a%2f.git/info/refs',
    '/git/a.git/info/refs/',
  ])
    assert.equal(parseGitPath(path), null, path);
});

test('what a hook reads is three words a line, anything else is nothing', () => {
  assert.deepEqual(parseUpdates(`${zeros} ${some} refs/heads/main\n`), [
    { from: zeros, to: some, ref: 'refs/heads/main' },
  ]);
  assert.deepEqual(parseUpdates(''), []);
  for (const text of ['x y z', `${zeros} ${some}`, `${zeros} --all refs/heads/main`, `${zeros} ${some} main`])
    assert.equal(parseUpdates(text), null, text);
});

test('one of the two branches is deployed, with tags; everything else is refused as a whole', () => {
  const update = (ref: string, to = some) => ({ from: zeros, to, ref });
  const [main, master, tag, other] = [
    'refs/heads/main',
    'refs/heads/master',
    'refs/tags/v1',
    'refs/heads/feature/x',
  ].map((ref) => update(ref));
  assert.ok(main && master && tag && other);
  assert.deepEqual(decide([main]), { deploy: true, branch: 'main', commit: some });
  assert.deepEqual(decide([tag, master]), { deploy: true, branch: 'master', commit: some });
  const refused = (...updates: Parameters<typeof decide>[0][number][]): string => {
    const decision = decide(updates);
    return decision.deploy ? assert.fail('deployed') : decision.reasons.join(' ');
  };
  assert.match(refused(main, other), /not feature\/x\..*<branch>:main/);
  assert.match(refused(main, update('refs/notes/commits')), /not notes\/commits/);
  assert.match(refused(tag), /not tags\/v1/);
  assert.match(refused(), /Only the branches/);
  assert.match(refused(main, master), /not both/);
  assert.match(refused(update('refs/heads/main', zeros)), /cannot be deleted/);
  assert.match(refused(update('refs/heads/main2')), /main2/);
});

test('a key in OpenSSH’s format is the key that was made', () => {
  for (let count = 0; count < 20; count += 1) {
    const { privateKey } = generateKeyPairSync('ed25519');
    const parsed = ssh2.utils.parseKey(opensshEd25519(privateKey, 0xdeadbeef));
    assert.ok(!(parsed instanceof Error), String(parsed));
    const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
    assert.equal(parsed.getPublicSSH().subarray(-32).toString('base64url'), x);
    const signature = parsed.sign('something');
    assert.ok(Buffer.isBuffer(signature) && parsed.verify('something', signature) === true);
  }
});

test('without git it is said what to install', () => {
  const error = gitError(Object.assign(new Error('spawn git ENOENT'), { code: 'ENOENT' }));
  assert.equal(error.kind, 'unavailable');
  assert.match(error.message, /git is not installed .* apt-get install git/);
});
