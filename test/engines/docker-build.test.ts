// test-timeout: 300
/** Builds of Dockerfiles by a real daemon: what comes of them, what never does, and that they end when they are told to. */
import assert from 'node:assert/strict';
import { randomInt, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, before, suite, test } from 'node:test';
import { BuildFailure } from '../../src/core/ports/builder.ts';
import { Secret } from '../../src/core/ports/secret.ts';
import type { ImageDetails } from '../../src/engines/docker/api/shapes.ts';
import { removeContainer } from '../../src/engines/docker/standing-container.ts';
import { run, start } from '../../src/lib/exec.ts';
import { missingForDocker } from '../support/docker-daemon.ts';
import { missingForRegistry } from '../support/docker-registry.ts';
import { until } from '../support/until.ts';
import { type BuildHarness, buildHarness, buildLimits, built, failed, imageIdOf } from './support/build-harness.ts';

suite('builds of Dockerfiles', { skip: missingForDocker() ?? missingForRegistry() ?? false }, () => {
  let harness: BuildHarness;
  before(async () => {
    harness = await buildHarness();
  });
  after(() => harness.close());

  const from = (...lines: readonly string[]): string => [`FROM ${harness.base}`, ...lines, ''].join('\n');
  const details = (reference: string): Promise<ImageDetails> =>
    harness.api.call<ImageDetails>('GET', `/images/${reference}/json`);

  test('an image comes of it, labelled and tagged, that says what it listens on and runs', async () => {
    const buildId = randomUUID();
    const dockerfile = from('COPY hello.txt /srv/', 'EXPOSE 3000 80/tcp 53/udp', 'CMD ["cat", "/srv/hello.txt"]');
    const { outcome, lines } = await harness.build({ Dockerfile: dockerfile, 'hello.txt': 'hello' }, { buildId });
    const image = built(outcome);
    assert.deepEqual(image.ports, [80, 3000]);
    assert.equal(image.hasCommand, true);
    assert.match(image.artifactDigest, /^image:sha256:[0-9a-f]{64}$/);
    assert.ok(image.sizeBytes > 1_000_000);
    const found = await details(`berth-build:${buildId}`);
    assert.equal(found.Id, imageIdOf(image));
    assert.equal(found.Config?.Labels?.['berth.install'], harness.names.installId);
    assert.equal(await harness.images.has(image.artifactDigest), true);
    assert.equal(await harness.images.has(`image:sha256:${'0'.repeat(64)}`), false);
    assert.ok(
      lines.some((line) => /^#\d+ \[2\/2\] COPY hello.txt \/srv\//.test(line)),
      lines.join('\n'),
    );
    const bare = built((await harness.build({ Dockerfile: from('ENTRYPOINT []', 'CMD []') })).outcome);
    assert.equal(bare.hasCommand, false);
  });

  test('what a step prints is in the log line by line, the failing one last', async () => {
    const dockerfile = from('RUN echo first; printf "10%%\\r100%%\\n"; echo broken >&2; exit 7', 'RUN echo never');
    const { outcome, lines } = await harness.build({ Dockerfile: dockerfile });
    assert.match(failed(outcome), /exit code: 7/);
    const said = lines.map((line) => line.replace(/^#\d+ /, ''));
    for (const line of ['first', '100%', 'broken']) assert.ok(said.includes(line), `${line} in ${lines.join('\n')}`);
    assert.ok(said.some((line) => /^ERROR: .*exit code: 7/.test(line)));
    assert.ok(!said.includes('never'));
  });

  test('a Dockerfile that is none is said to be so', async () => {
    assert.match(failed((await harness.build({ Dockerfile: 'FORM nothing\n' })).outcome), /unknown instruction: FORM/);
    const { outcome } = await harness.build({ Dockerfile: 'FROM 127.0.0.1:1/nowhere:1\n' });
    assert.match(failed(outcome), /nowhere/);
  });

  test('nothing is taken from what the daemon has already: that may be somebody else’s', async () => {
    const repo = '127.0.0.1:1/private';
    await harness.api.call('POST', `/images/${harness.stack}/tag`, { query: { repo, tag: '1' } });
    for (const dockerfile of [
      `FROM ${repo}:1\nRUN true\n`,
      from(`COPY --from=${repo}:1 /etc/passwd /stolen`),
      from(`RUN --mount=type=bind,from=${repo}:1,target=/theirs cp /theirs/etc/passwd /stolen`),
    ])
      assert.match(failed((await harness.build({ Dockerfile: dockerfile })).outcome), /private/, dockerfile);
  });

  test('what steps keep in cache mounts is for builds of the same scope alone', async () => {
    const mark = randomUUID();
    const into = (line: string): string => from(`RUN --mount=type=cache,target=/kept ${line} && echo ${randomUUID()}`);
    const ask = async (cacheScope: string): Promise<boolean> =>
      !('failed' in (await harness.build({ Dockerfile: into(`test -e /kept/${mark}`) }, { cacheScope })).outcome);
    built((await harness.build({ Dockerfile: into(`touch /kept/${mark}`) }, { cacheScope: 'one' })).outcome);
    assert.deepEqual([await ask('one'), await ask('two')], [true, false]);
  });

  test('steps of an earlier build are used again', async () => {
    const mark = randomUUID();
    const dockerfile = from(`RUN echo ${mark}`, 'COPY source.txt /');
    const first = await harness.build({ Dockerfile: dockerfile, 'source.txt': 'one' });
    built(first.outcome);
    const second = await harness.build({ Dockerfile: dockerfile, 'source.txt': 'two' });
    built(second.outcome);
    const numberOf = (line: string | undefined): string => /^#\d+/.exec(line ?? '')?.[0] ?? 'none';
    const step = numberOf(second.lines.find((line) => line.includes(`RUN echo ${mark}`)));
    assert.ok(second.lines.includes(`${step} CACHED`), second.lines.join('\n'));
  });

  test('config is a secret of the steps that mount it, and is nowhere afterwards', async () => {
    const value = `secret-${randomUUID()}`;
    const dockerfile = from(
      'ARG TOKEN=unset',
      'RUN --mount=type=secret,id=TOKEN test "$(cat /run/secrets/TOKEN | wc -c)" -eq 43 && test "$TOKEN" = unset',
      'RUN test ! -e /run/secrets/TOKEN && printf "marker-%s" in-a-layer >/marker',
    );
    const { outcome, lines } = await harness.build(
      { Dockerfile: dockerfile },
      { secrets: { TOKEN: new Secret(value) } },
    );
    const id = imageIdOf(built(outcome));
    const history = await harness.api.call<unknown>('GET', `/images/${id}/history`);
    assert.match(JSON.stringify(history), /secrets\/TOKEN/);
    // The whole image as it is handed on: its config and every file of every layer.
    const whole = await buffer(await harness.api.stream('GET', `/images/${id}/get`));
    assert.ok(whole.includes('marker-in-a-layer'), 'the search finds what is there');
    const places = [JSON.stringify(history), JSON.stringify(await details(id)), lines.join('\n')];
    for (const place of places) assert.ok(!place.includes(value));
    assert.ok(!whole.includes(value));
    const kept = async (text: string): Promise<string> => {
      const argv = [
        'grep',
        '--recursive',
        '--files-with-matches',
        '--fixed-strings',
        '-e',
        text,
        harness.daemon.folder,
      ];
      return (await run(argv, { environment: { PATH: '/usr/bin:/bin' }, timeoutMs: 60_000 })).stdout;
    };
    assert.notEqual(await kept('marker-in-a-layer'), '');
    assert.equal(await kept(value), '', 'in a file of the daemon');
    const other = await harness.build({
      Dockerfile: from('RUN --mount=type=secret,id=OTHER,required cat /run/secrets/OTHER'),
    });
    assert.match(failed(other.outcome), /OTHER/);
  });

  test('a cancelled build leaves no process', async () => {
    const seconds = `${randomInt(10_000, 99_999)}.5`;
    const abort = new AbortController();
    const building = harness.build({ Dockerfile: from(`RUN sleep ${seconds} & sleep ${seconds}`) }, {}, abort.signal);
    building.catch(() => {});
    await until('both processes of the step run', () => processes(seconds).length === 3, 60_000);
    const reason = new Error('cancelled');
    abort.abort(reason);
    await assert.rejects(building, reason);
    await until('no process of the step is left', () => processes(seconds).length === 0);
  });

  test('a build whose server dies ends with it, and the next try goes its way', async () => {
    const seconds = `${randomInt(10_000, 99_999)}.5`;
    const dockerfile = from(`RUN sleep ${seconds}`);
    const script = join(import.meta.dirname, 'support/build-child.ts');
    const child = start([process.execPath, script, harness.daemon.host, dockerfile], {
      environment: { PATH: '/usr/bin:/bin' },
      stdio: 'ignore',
    });
    const ended = once(child, 'exit');
    await until('the step runs', () => processes(seconds).length > 0, 60_000);
    child.kill('SIGKILL');
    await ended;
    await until('no process of the step is left', () => processes(seconds).length === 0);
    const abort = new AbortController();
    const again = harness.build({ Dockerfile: dockerfile }, {}, abort.signal);
    again.catch(() => {});
    await until('one step runs', () => processes(seconds).length > 0, 60_000);
    abort.abort();
    await assert.rejects(again);
    await until('no process of the step is left', () => processes(seconds).length === 0);
  });

  test('nothing is built on a disk that is nearly full, and a build that fills it is ended', async () => {
    const { bavail, bsize } = statfsSync(harness.daemon.folder);
    const isAboutDisk = (error: unknown): boolean =>
      error instanceof BuildFailure && error.code === 'disk' && /BERTH_DOCKER_FREE_SPACE/.test(error.message);
    const none = harness.input({ Dockerfile: from('RUN true') });
    const { signal } = new AbortController();
    await assert.rejects(harness.withFloor(bavail * bsize * 2).build(none, signal), isAboutDisk);
    const seconds = `${randomInt(10_000, 99_999)}.5`;
    // Whatever others free meanwhile, this goes below the floor.
    const fill = `sleep ${seconds} & for n in $(seq 40); do fallocate -l 1G /big$n; sleep 0.5; done`;
    const greedy = harness.input({ Dockerfile: from(`RUN ${fill}`) });
    await assert.rejects(harness.withFloor(bavail * bsize - 2 * 2 ** 30).build(greedy, signal), isAboutDisk);
    await until('no process of the step is left', () => processes(seconds).length === 0);
  });

  test('no build goes on without limits: it ends with what keeps them, and the next one has them again', async () => {
    const seconds = `${randomInt(10_000, 99_999)}.5`;
    const building = harness.build({ Dockerfile: from(`RUN sleep ${seconds}`) });
    building.catch(() => {});
    await until('the step runs', () => processes(seconds).length > 0, 60_000);
    await removeContainer(harness.api, harness.names.helper);
    await assert.rejects(building, /limits of this build’s steps were no longer in force/);
    await until('no process of the step is left', () => processes(seconds).length === 0);
    const { signal } = new AbortController();
    const again = async () => harness.images.build(harness.input({ Dockerfile: from('RUN true') }), signal);
    // Who noticed first that the helper is gone makes it anew.
    const outcome = await again().catch(again);
    assert.equal(built(outcome).hasCommand, false);
  });

  test('a step has the limits from its first command on', async () => {
    const groups = '/sys/fs/cgroup';
    const show = [
      `cat ${groups}/memory/memory.limit_in_bytes || cat ${groups}/memory.max`,
      `cat ${groups}/pids/pids.max || cat ${groups}/pids.max`,
      `cat ${groups}/cpu/cpu.shares || cat ${groups}/cpu.weight`,
    ];
    const { outcome, lines } = await harness.build({ Dockerfile: from(`RUN (${show.join('; ')}) 2>/dev/null`) });
    built(outcome);
    const said = lines.map((line) => line.replace(/^#\d+ /, ''));
    assert.ok(said.includes(String(buildLimits.memoryBytes)), lines.join('\n'));
    assert.ok(said.includes('512'), lines.join('\n'));
    assert.ok(said.includes('256') || said.includes('10'), lines.join('\n'));
    const hog = `const all=[];for(let i=0;i<64;i++){all.push(Buffer.alloc(16e6,1));console.log('has',i)}`;
    const greedy = await harness.build({ Dockerfile: from(`RUN ${harness.node} -e "${hog}"`) });
    assert.match(failed(greedy.outcome), /exit code: 137/);
    assert.ok(!greedy.lines.some((line) => / has (?:1[7-9]|[2-6]\d)$/.test(line)), greedy.lines.join('\n'));
  });
});

/** Processes of this machine with this word in their arguments, but not who looks. */
function processes(word: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid > 0 && pid !== process.pid)
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return command.includes(`sleep\0${word}`) || command.includes(`sleep ${word} `);
      } catch {
        return false;
      }
    });
}
