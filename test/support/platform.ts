/** A whole platform for a test: `berth up` as people run it, in a folder of its own, on ports of its own. */
import { randomInt } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Client } from '../../src/client/client.ts';
import { start } from '../../src/lib/exec.ts';
import { claimPorts } from './ports.ts';
import { until } from './until.ts';

export interface TestPlatform {
  readonly port: number;
  readonly dataFolder: string;
  readonly token: string;
  readonly password: string;
  readonly akkeris: Client;
  readonly akkerisUrl: string;
  readonly routerUrl: string;
  readonly routerPort: number;
  readonly upPid: number;
  /** What the platform has printed so far. */
  output(): string;
  /** The process of a part now, or null while it is down. */
  pidOf(part: 'server' | 'router' | 'agent' | 'database'): Promise<number | null>;
  hostOf(handle: string): string;
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

export interface PlatformOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly sample?: boolean;
  /** An earlier platform's folder, to start again on. */
  readonly dataFolder?: string;
  readonly port?: number;
}

const script = join(import.meta.dirname, '../../src/main/berth.ts');
const offsets = [0, 1, 2, 3, 4, 22, 32, 43, 80];
/** The sample is built and started too. */
const START_MS = 90_000;
const SAMPLE_START_MS = 200_000;

/** Starts it and waits until it is healthy (and the sample serves); stops it and deletes its folder when the test ends. */
export async function startPlatform(
  t: TestContext | { after(work: () => Promise<void>): void },
  options: PlatformOptions = {},
): Promise<TestPlatform> {
  const dataFolder = options.dataFolder ?? (await mkdtemp(join(tmpdir(), 'berth-test-')));
  const port = options.port ?? (await freeBase());
  const child = start(
    [
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      script,
      'up',
      ...(options.sample === true ? ['--sample'] : []),
    ],
    {
      environment: {
        ...cleanEnvironment(),
        BERTH_DATA: dataFolder,
        BERTH_PORT: String(port),
        BERTH_LOG_FORMAT: 'json',
        ...options.environment,
      },
      ownGroup: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString('utf8')).slice(-200_000);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  let over = false;
  void ended.then(() => {
    over = true;
  });
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> => {
    if (!over) child.kill(signal);
    return ended;
  };
  t.after(async () => {
    await stop();
    if (options.dataFolder === undefined) await rm(dataFolder, { recursive: true, force: true });
  });
  await until(
    `the platform is up on ${port}`,
    () => {
      if (over) throw new Error(`the platform ended instead of starting:\n${output}`);
      return output.includes('Berth is up.');
    },
    options.sample === true ? SAMPLE_START_MS : START_MS,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${output}`);
  });
  const admin = JSON.parse(await readFile(join(dataFolder, 'admin.json'), 'utf8')) as {
    token: string;
    password: string;
  };
  const akkerisUrl = `http://127.0.0.1:${port + 2}`;
  return {
    port,
    dataFolder,
    akkerisUrl,
    token: admin.token,
    password: admin.password,
    akkeris: new Client({ baseUrl: akkerisUrl, token: admin.token }),
    routerUrl: `http://127.0.0.1:${port + 80}`,
    routerPort: port + 80,
    upPid: child.pid ?? 0,
    output: () => output,
    pidOf: (part) => (part === 'database' ? databasePid(dataFolder) : childOf(child.pid ?? 0, part)),
    hostOf: (handle) => `${handle}.berth.localhost`,
    stop,
  };
}

function cleanEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined && !entry[0].startsWith('BERTH_') && !entry[0].startsWith('NODE_TEST'),
    ),
  );
}

/** A base port whose whole set is free now, below the range that the kernel takes outgoing ports from: those come and go. */
export function freeBase(): Promise<number> {
  // In whole hundreds, so that the sets of two bases have no port in common.
  return claimPorts(() => 100 * randomInt(100, 200), offsets);
}

async function databasePid(dataFolder: string): Promise<number | null> {
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const [command, status] = await Promise.all([
      readOrNothing(`/proc/${entry}/cmdline`),
      readOrNothing(`/proc/${entry}/status`),
    ]);
    // The postmaster alone has the data folder in its arguments; its children rename themselves.
    if (/postgres\0/.test(command) && command.includes(dataFolder) && !/^State:\s+Z/m.test(status))
      return Number(entry);
  }
  return null;
}

async function childOf(parent: number, part: string): Promise<number | null> {
  const children = (await readOrNothing(`/proc/${parent}/task/${parent}/children`)).trim().split(' ').filter(Boolean);
  for (const pid of children) {
    const command = await readOrNothing(`/proc/${pid}/cmdline`);
    if (command.includes(`berth.ts\0${part}\0`)) return Number(pid);
  }
  return null;
}

const readOrNothing = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
