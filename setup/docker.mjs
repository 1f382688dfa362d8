/**
 * Makes sure that the Docker daemon of the settings answers before the platform starts; run by setup/run.mjs on Node 24 with the arguments of
 * `berth up`. As root on Debian a daemon that is missing is installed and one that is off is started; elsewhere it is said how.
 */
import { spawn } from 'node:child_process';
import { existsSync, openSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { dockerHostOf, usesDocker } from '../src/main/docker-settings.ts';
import { readSettings } from '../src/main/settings.ts';
import { runQuietly, withProgress } from './child.mjs';
import { SetupError } from './root.mjs';
import { findProgram, installPackages } from './system.mjs';

/** Where Debian's daemon listens; one at another place is somebody's own and is left to them. */
const usualSockets = ['/var/run/docker.sock', '/run/docker.sock'];
const log = '/var/log/docker.log';
const answerMs = 60_000;
const pauseMs = 250;

/** Whether a daemon answers at the socket: `yes`, `forbidden` to this user, or `no`. */
export function asks(socketPath) {
  return new Promise((resolve) => {
    const call = request({ socketPath, path: '/_ping', timeout: 5_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? 'yes' : 'no');
    });
    call.once('timeout', () => call.destroy());
    call.once('error', ({ code }) => resolve(code === 'EACCES' ? 'forbidden' : 'no'));
    call.end();
  });
}

/** What can start the daemon on a machine that has these, best first. It runs by itself only where nothing keeps services. */
export function waysToStart({ systemd, script, dockerd }) {
  return [
    ...(systemd ? [{ argv: ['systemctl', 'start', 'docker'], isService: true }] : []),
    ...(script && !systemd ? [{ argv: ['service', 'docker', 'start'], isService: true }] : []),
    ...(systemd || dockerd === null ? [] : [{ argv: [dockerd], isService: false }]),
  ];
}

/** What to tell somebody for whom nothing can be done here. */
export function adviceFor({ answer, isRoot, dockerd, socketPath }) {
  if (answer === 'forbidden')
    return `You may not use the Docker daemon at ${socketPath}. Join its group (sudo usermod -aG docker $USER, then sign in again), or run this as root.`;
  if (!usualSockets.includes(socketPath))
    return `No Docker daemon answers at ${socketPath} (BERTH_DOCKER_HOST). Start the one that listens there.`;
  const sudo = isRoot ? '' : 'sudo ';
  const install =
    dockerd === null ? `${sudo}apt-get install docker.io, or https://docs.docker.com/engine/install, then ` : '';
  return `No Docker daemon answers at ${socketPath}. To have one: ${install}${sudo}systemctl start docker`;
}

async function ensureDaemon(socketPath) {
  const answer = await asks(socketPath);
  if (answer === 'yes') return;
  const isRoot = process.getuid?.() === 0;
  const give = () => new SetupError(adviceFor({ answer, isRoot, dockerd: findProgram('dockerd'), socketPath }));
  const mayAct = isRoot && usualSockets.includes(socketPath) && process.env.BERTH_NO_APT !== '1';
  if (!mayAct) throw give();
  if (findProgram('dockerd') === null)
    await installPackages(['docker.io'], 'BERTH_ENGINE=docker has nothing to run on');
  const ways = waysToStart({
    systemd: existsSync('/run/systemd/system'),
    script: existsSync('/etc/init.d/docker'),
    dockerd: findProgram('dockerd'),
  });
  const said = await withProgress('starting the Docker daemon', () => startBy(ways, socketPath));
  if (said !== null) throw new SetupError(`${give().message}\n${said}`);
}

/** Null when a daemon answers; else what the last way said. */
async function startBy(ways, socketPath) {
  let said = 'nothing here can start it';
  for (const { argv, isService } of ways) {
    // The install may have begun to start it.
    if ((await asks(socketPath)) === 'yes') return null;
    const outcome = isService ? await startService(argv, socketPath) : await startItself(argv, socketPath);
    if (outcome === null) return null;
    said = outcome;
  }
  return said;
}

async function startService(argv, socketPath) {
  const { code, output } = await runQuietly(argv);
  if (code !== 0) return `${argv.join(' ')}: ${output.trim()}`;
  return (await untilAnswers(socketPath, () => false)) ? null : `${argv.join(' ')} ended well, but no daemon answers`;
}

/** For machines without an init system, as containers are. It goes on when we end, as a service would. */
async function startItself(argv, socketPath) {
  const output = openSync(log, 'a');
  const child = spawn(argv[0], argv.slice(1), { detached: true, stdio: ['ignore', output, output] });
  let over = false;
  for (const event of ['error', 'exit'])
    child.once(event, () => {
      over = true;
    });
  child.unref();
  if (!(await untilAnswers(socketPath, () => over)))
    return readFileSync(log, 'utf8').trim().split('\n').slice(-5).join('\n');
  console.error(
    `No init system here: dockerd runs by itself and goes on afterwards; its log is ${log}. To end it: kill ${child.pid}`,
  );
  return null;
}

async function untilAnswers(socketPath, isOver) {
  for (const begin = performance.now(); performance.now() - begin < answerMs && !isOver(); ) {
    if ((await asks(socketPath)) === 'yes') return true;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return false;
}

/**
 * The socket of the daemon that the platform will use, and whether it can start without; null when it will use none, or one of another
 * machine.
 */
export function socketOf(argv, environment) {
  try {
    const { settings } = readSettings(argv, environment);
    const host = dockerHostOf(settings);
    if (!usesDocker(settings) || !host.startsWith('unix://')) return null;
    return { socketPath: host.slice('unix://'.length), isNeeded: settings.engine === 'docker' };
  } catch {
    // The platform's own start says what is wrong with the settings.
    return null;
  }
}

if (import.meta.main) {
  const found = socketOf(process.argv.slice(2), process.env);
  try {
    if (found !== null) await ensureDaemon(found.socketPath);
  } catch (error) {
    console.error(error instanceof SetupError ? error.message : error);
    process.exitCode = found?.isNeeded ? 1 : 0;
  }
}
