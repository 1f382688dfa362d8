/** How the set-up comes to a Docker daemon before `npm start` on that engine. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { adviceFor, asks, socketOf, waysToStart } from '../../setup/docker.mjs';
import { run } from '../../src/lib/exec.ts';

const script = join(import.meta.dirname, '../../setup/docker.mjs');

/** The path of a socket where something answers so. */
async function socketAnswering(t: TestContext, status: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'daemon-'));
  const path = join(folder, 'socket');
  const server = createServer((_request, response) => response.writeHead(status).end());
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.after(async () => {
    server.close();
    await rm(folder, { recursive: true, force: true });
  });
  return path;
}

const prepare = (environment: Record<string, string>, ...argv: string[]) =>
  run([process.execPath, '--disable-warning=ExperimentalWarning', script, ...argv], {
    environment: { PATH: '/usr/bin:/bin', ...environment },
    timeoutMs: 30_000,
  });

test('only a socket of the docker engine on this machine is looked at', () => {
  const usual = '/var/run/docker.sock';
  assert.equal(socketOf([], {}), null);
  assert.deepEqual(socketOf([], { BERTH_ENGINE: 'docker' }), { socketPath: usual, isNeeded: true });
  assert.deepEqual(socketOf(['--engine', 'docker', '--docker-host=unix:///x/y'], {}), {
    socketPath: '/x/y',
    isNeeded: true,
  });
  assert.deepEqual(socketOf([], { BERTH_DOCKER_HOST: 'unix:///x/y' }), { socketPath: '/x/y', isNeeded: false });
  assert.equal(socketOf([], { BERTH_ENGINE: 'docker', BERTH_DOCKER_HOST: 'tcp://192.0.2.1:2376' }), null);
  assert.equal(socketOf([], { BERTH_ENGINE: 'nonsense' }), null);
});

test('a daemon that answers is left as it is; one that does not is told from one that is none', async (t) => {
  const path = await socketAnswering(t, 200);
  assert.equal(await asks(path), 'yes');
  assert.equal(await asks(await socketAnswering(t, 500)), 'no');
  assert.equal(await asks(`${path}-not`), 'no');
  const ready = await prepare({ BERTH_ENGINE: 'docker', BERTH_DOCKER_HOST: `unix://${path}` });
  assert.deepEqual([ready.code, ready.stderr], [0, '']);
});

test('a socket of somebody’s own is not started: it is said where nothing answers', async () => {
  const gone = join(tmpdir(), 'no-such-socket');
  const { code, stderr } = await prepare({}, '--engine', 'docker', '--docker-host', `unix://${gone}`);
  assert.equal(code, 1);
  assert.equal(
    stderr.trim(),
    `No Docker daemon answers at ${gone} (BERTH_DOCKER_HOST). Start the one that listens there.`,
  );
});

test('a platform of both engines starts without the daemon, and one of the other does not ask for it', async () => {
  const both = await prepare({ BERTH_DOCKER_HOST: 'unix:///no/such/socket' });
  assert.equal(both.code, 0);
  assert.match(both.stderr, /No Docker daemon answers at \/no\/such\/socket/);
  const other = await prepare({});
  assert.deepEqual([other.code, other.stderr], [0, '']);
});

test('services come first; the daemon itself only where nothing keeps services', () => {
  const dockerd = '/usr/sbin/dockerd';
  const ways = (systemd: boolean, script: boolean, program: string | null = dockerd) =>
    waysToStart({ systemd, script, dockerd: program }).map(({ argv }) => argv.join(' '));
  assert.deepEqual(ways(true, true), ['systemctl start docker']);
  assert.deepEqual(ways(false, true), ['service docker start', dockerd]);
  assert.deepEqual(ways(false, false), [dockerd]);
  assert.deepEqual(ways(false, false, null), []);
});

test('the advice fits the person and the machine', () => {
  const socketPath = '/var/run/docker.sock';
  const advice = { answer: 'no', isRoot: false, dockerd: null, socketPath } as const;
  assert.match(adviceFor(advice), /sudo apt-get install docker\.io.*sudo systemctl start docker/);
  assert.match(
    adviceFor({ ...advice, isRoot: true, dockerd: '/usr/sbin/dockerd' }),
    /have one: systemctl start docker$/,
  );
  assert.match(adviceFor({ ...advice, answer: 'forbidden' }), /usermod -aG docker/);
});
