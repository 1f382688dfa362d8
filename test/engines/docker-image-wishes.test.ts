// test-timeout: 300
/** What an image says of itself: who runs, whose its volumes are, whether anything in it may be changed, and how it is stopped. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, suite, test } from 'node:test';
import { pack } from 'tar-stream';
import { specFor, untilLine, untilState } from '../../src/engines/conformance/harness.ts';
import type { ContainerSummary, ImageDetails } from '../../src/engines/docker/api/shapes.ts';
import { StackImage } from '../../src/engines/docker/images/stack-image.ts';
import { appUser } from '../../src/engines/docker/settings.ts';
import { missingForDocker } from '../support/docker-daemon.ts';
import { apiOf } from '../support/small-image.ts';
import { until } from '../support/until.ts';
import { type DockerHarness, dockerHarness } from './support/docker-harness.ts';

const missing = missingForDocker();

suite('images on docker', { skip: missing ?? false }, () => {
  let harness: DockerHarness;
  let api: ReturnType<typeof apiOf>;
  let stack: string;

  before(async () => {
    harness = await dockerHarness();
    api = apiOf(harness.daemon.host);
    stack = await new StackImage(api, process.execPath).ensure();
  });
  after(async () => {
    api.close();
    await harness.close();
  });

  const build = async (name: string, ...lines: readonly string[]): Promise<string> => {
    const tar = pack();
    tar.entry({ name: 'Dockerfile' }, [`FROM ${stack}`, ...lines].join('\n'));
    tar.finalize();
    const content = { type: 'application/x-tar', bytes: Readable.from(tar, { objectMode: false }) };
    await api.call('POST', '/build', { query: { t: name }, content });
    return `image:${(await api.call<ImageDetails>('GET', `/images/${name}/json`)).Id}`;
  };
  const oneOff = (artifactDigest: string, script: string, change: object) => {
    const command = ['/bin/sh', '-c', script];
    const once = { kind: 'one-off', stdin: true, ports: [] } as const;
    return specFor(harness, 'exit.js', [], { ...once, artifactDigest, command, ...change });
  };
  const run = async (artifactDigest: string, script: string, change: object = {}): Promise<string> => {
    const spec = oneOff(artifactDigest, script, change);
    await harness.engine.start(spec);
    const session = await harness.engine.attach(spec.id);
    session.stdin.end();
    const said = await text(session.stdout);
    await session.exit;
    await harness.engine.remove(spec.id);
    return said;
  };
  const tries = (...paths: readonly string[]): string =>
    paths.map((path) => `if touch ${path} 2>/dev/null; then echo ${path}; fi`).join('; ');
  const removeVolumes = async (mounts: readonly { readonly volumeId: string }[]): Promise<void> => {
    for (const { volumeId } of mounts) await harness.engine.removeVolume(volumeId);
  };
  const who = 'echo $(id -u):$(id -g)';

  test('the label berth.read-only: it changes nothing but /tmp, /run, its volumes and what it was given', async () => {
    const lines = ['RUN mkdir /own && chown 4321 /own', 'USER 4321:4321'];
    const usual = await build('usual', ...lines);
    const readOnly = await build('read-only', ...lines, 'LABEL berth.read-only=true');
    assert.equal(await run(usual, tries('/own/x', '/tmp/x')), '/own/x\n/tmp/x\n');
    assert.equal(await run(readOnly, tries('/own/x', '/tmp/x', '/run/x')), '/tmp/x\n/run/x\n');
    const types = 'for path in / /tmp /run; do findmnt --noheadings --output OPTIONS "$path" | cut -d, -f1; done';
    assert.match(await run(readOnly, `${types}; findmnt --noheadings --output FSTYPE /tmp`), /^ro\nrw\nrw\ntmpfs\n$/);

    const path = `${harness.folder()}/upload`;
    writeFileSync(path, 'given');
    const uploads = [{ name: 'given.txt', path }];
    const script = `cat /tmp/uploads/given.txt; stat -c ' %u' /tmp/uploads/given.txt; ${tries('/own/x', '/tmp/x', '/tmp/uploads/x')}`;
    assert.equal(await run(readOnly, script, { uploads }), 'given 4321\n/tmp/x\n/tmp/uploads/x\n');
    const volumes = await api.call<{ Volumes: readonly object[] | null }>('GET', '/volumes');
    assert.deepEqual(volumes.Volumes ?? [], [], 'what it was given went with it');
  });

  test('read-only with volumes: they are whoever’s that runs, and all that it may change', async () => {
    const lines = ['RUN mkdir /data && chmod 750 /data', 'LABEL berth.read-only=true', 'VOLUME /own'];
    const mounts = [
      { volumeId: harness.id(), path: '/data' },
      { volumeId: harness.id(), path: '/new/data' },
    ];
    const paths = ['/data', '/own', '/new/data'];
    const script = `${tries(...paths.map((path) => `${path}/x`), '/x')}; stat -c %u:%a ${paths.join(' ')}`;
    const wrote = '/data/x\n/own/x\n/new/data/x\n';
    const given = `${appUser}:750\n${appUser}:755\n${appUser}:755\n`;
    assert.equal(await run(await build('forced-read-only', ...lines), script, { mounts }), `${wrote}${given}`);
    const numbered = await build('numbered-read-only', ...lines.slice(0, 2), 'USER 4321:4321');
    const own = mounts.map(({ path }) => ({ volumeId: harness.id(), path }));
    assert.equal(await run(numbered, `touch /data/x && stat -c %u /data`, { mounts: own }), '4321\n');
    await removeVolumes([...mounts, ...own]);
  });

  test('folders that an image calls volumes are the app’s user’s in place of root; the log says who runs, and how else', async () => {
    const folders = 'RUN mkdir /data /kept && echo seed > /data/seed && chown -R 999 /data /kept && chmod 700 /data';
    const image = await build('keeps', folders, 'VOLUME ["/data/", "/fresh"]');
    const script = `cat /data/seed; ${tries('/data/x', '/fresh/x', '/kept/x')}`;
    const spec = specFor(harness, 'exit.js', [], { artifactDigest: image, ports: [], command: script });
    await harness.engine.start(spec);
    await untilState(harness.engine, spec.id, 'exited');
    const texts = (source: string) => {
      const lines = harness.lines(`apps/${spec.appId}`);
      return lines.filter((line) => line.source === source).map(({ text }) => text);
    };
    await until('its last line', () => texts('app').includes('/fresh/x'));
    assert.deepEqual(texts('app'), ['seed', '/data/x', '/fresh/x']);
    assert.match(texts('platform').join('\n'), /^the image says root.*user 10001.*USER.*BERTH_DOCKER_ALLOW_ROOT.*$/);
    await harness.engine.remove(spec.id);
    // One that names its user is asked nothing, and keeps what it gave whom.
    const named = await build('keeps-named', folders, 'VOLUME ["/data/"]', 'USER 4321');
    assert.equal(await run(named, `stat -c %u /data; ${tries('/data/x')}`), '999\n');
    assert.deepEqual((await api.call<{ Volumes: readonly object[] | null }>('GET', '/volumes')).Volumes ?? [], []);
  });

  test('its entrypoint, arguments, folder and environment are its own; a command of the app’s is in their place', async () => {
    const script = 'printf \'#!/bin/sh\\necho "entry $#"\\nexec "$@"\\n\' > /entry && chmod 755 /entry';
    const lines = [
      `RUN ${script}`,
      'ENV LANG=C GREETING="a  b" PATH=/own/bin:$PATH',
      'WORKDIR "/srv/work dir"',
      'EXPOSE 9000',
    ];
    const said = 'echo "$0|$1|$GREETING|$LANG|$PATH|$PWD|$PORT"';
    const command = ['sh', '-c', said, 'zero', 'one two'];
    const image = await build('whole', ...lines, 'ENTRYPOINT ["/entry"]', `CMD ${JSON.stringify(command)}`);
    const change = { ports: 'any' } as const;
    const around = 'a  b|C|/own/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin|/srv/work dir|9000';
    const own = { ...change, command: { arguments: null } };
    assert.equal(await run(image, '', own), `entry 5\nzero|one two|${around}\n`);
    const given = { ...change, command: { arguments: ['echo', '$HOME', 'a b'] } };
    assert.equal(await run(image, '', given), 'entry 3\n$HOME a b\n');
    assert.equal(await run(image, said, change), `/bin/sh||${around}\n`);
    const shell = await build('shell-form', ...lines, `CMD ${said.replace('$1', '')}`);
    assert.equal(await run(shell, '', own), `/bin/sh||${around}\n`);
    const terminal = { columns: 91, rows: 17 };
    assert.equal(await run(image, '', { terminal, command: 'stty size' }), '17 91\r\n');
  });

  test('it is stopped by the signal it asks for, and its own health checks are not run', async () => {
    const image = await build('stops', 'STOPSIGNAL 3', 'HEALTHCHECK --interval=1s CMD touch /tmp/checked');
    const asked = 'trap "echo asked; exit 5" QUIT; echo ready; while :; do sleep 0.05; done';
    const gentle = specFor(harness, 'exit.js', [], { artifactDigest: image, ports: [], command: asked });
    const plain = specFor(harness, 'exit.js', [], { artifactDigest: image, ports: [], command: ['sleep', '1000'] });
    await Promise.all([gentle, plain].map((spec) => harness.engine.start(spec)));
    await Promise.all([untilLine(harness, gentle, 'ready'), untilState(harness.engine, plain.id, 'running')]);
    const name = `berth-${harness.options.installId}-i-${gentle.id}`;
    const { State } = await api.call<{ State: { Health?: object } }>('GET', `/containers/${name}/json`);
    assert.equal(State.Health, undefined);
    await Promise.all([gentle, plain].map(({ id }) => harness.engine.stop(id, 60_000)));
    const ends = await Promise.all([gentle, plain].map(({ id }) => untilState(harness.engine, id, 'exited')));
    assert.deepEqual(
      ends.map(({ exit }) => exit?.code ?? exit?.signal),
      [5, 'SIGQUIT'],
    );
    await untilLine(harness, gentle, 'asked');
    await Promise.all([gentle, plain].map(({ id }) => harness.engine.remove(id)));
  });

  test('it runs as the user it names, never as one that is root by another name, and not as one it does not know', async () => {
    const add = (...users: readonly string[]) =>
      `RUN ${users.map((user) => `echo '${user}' >> /etc/passwd`).join(' && ')}`;
    const named = await build('named', add('web:x:4321:77::/:/bin/sh', 'toor:x:0:0::/:/bin/sh'), 'USER web');
    assert.equal(await run(named, who), '4321:77\n');
    assert.equal(await run(await build('in-group', `FROM named`, 'USER web:88'), who), '4321:88\n');
    assert.equal(await run(await build('toor', 'FROM named', 'USER toor'), who), `${appUser}:${appUser}\n`);
    const moved = 'RUN mkdir /away && mv /etc/passwd /away/names && ln -s ../away/names /etc/passwd';
    assert.equal(
      await run(await build('linked', 'FROM named', moved.replace('RUN', 'USER 0\nRUN'), 'USER toor'), who),
      `${appUser}:${appUser}\n`,
    );
    const spec = oneOff(await build('unknown', 'USER nobody-here'), who, {});
    await harness.engine.start(spec);
    const ended = async () => (await harness.engine.list()).find(({ id }) => id === spec.id)?.exit;
    const { startError } = await until('it has ended', ended);
    assert.match(startError ?? '', /USER nobody-here.*\/etc\/passwd.*give a number/);
    await harness.engine.remove(spec.id);
    const filters = { label: [`berth.install=${harness.options.installId}`, 'berth.role=look'] };
    const left = await api.call<readonly ContainerSummary[]>('GET', '/containers/json', {
      query: { all: true, filters },
    });
    assert.deepEqual(left, []);
  });

  test('a volume is whoever’s that the image runs as, with what the image had there', async () => {
    const mounts = [{ volumeId: harness.id(), path: '/data' }];
    const owner = 'stat -c %u:%a /data; cat /data/seed';
    const data =
      'RUN mkdir /data && echo seed > /data/seed && chown -R 999 /data && chmod 700 /data && chmod 644 /data/seed';
    // Begins as root in other places, and would become 999: here it is the app's user from the start.
    const forced = await build('forced', data);
    assert.equal(await run(forced, `${owner}; ${tries('/data/x')}`, { mounts }), `${appUser}:700\nseed\n/data/x\n`);
    assert.equal(await run(forced, tries('/data/x', '/data/y'), { mounts }), '/data/x\n/data/y\n');
    const own = [{ volumeId: harness.id(), path: '/new/data' }];
    const numbered = await build('numbered', 'USER 4321');
    assert.equal(
      await run(numbered, `${tries('/new/data/x')}; stat -c %u /new/data /new`, { mounts: own }),
      '/new/data/x\n4321\n0\n',
    );
    // Another image does not take away what is somebody's.
    const other = await build('other', 'USER 5432');
    assert.equal(await run(other, `${tries('/new/data/y')}; stat -c %u /new/data`, { mounts: own }), '4321\n');
    await removeVolumes([...mounts, ...own]);
  });

  test('where root is allowed an image that begins as root gives itself its folders and becomes somebody else', async (t) => {
    const image = await build('begins-as-root', 'RUN mkdir /state');
    assert.equal(await run(image, who), `${appUser}:${appUser}\n`);
    await harness.restart({ allowRoot: true });
    t.after(() => harness.restart());
    const becomes = 'chown 999:998 /state && setpriv --reuid 999 --regid 998 --clear-groups touch /state/x';
    assert.equal(await run(image, `${who}; ${becomes} && stat -c %u:%g /state/x`), '0:0\n999:998\n');
    const rights = await run(image, 'grep -E "^(CapEff|CapBnd|NoNewPrivs)" /proc/self/status');
    assert.match(rights, /CapEff:\s+00000000000004fb\nCapBnd:\s+00000000000004fb\nNoNewPrivs:\s+1\n/);
    assert.equal(await run(await build('still-named', 'USER 4321:4321'), who), '4321:4321\n');
  });
});
