/** Deploys the sample app through the public API, as anybody would; a second time it finds it there. */
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { archiveFolder } from '../builders/archive-folder.ts';
import { Client, ClientError } from '../client/client.ts';

export interface SampleOptions {
  readonly apiUrl: string;
  readonly token: string;
  /** Where the router answers, e.g. `http://127.0.0.1:7780`. */
  readonly routerUrl: string;
  readonly host: string;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

interface Build {
  readonly id: string;
  readonly status: string;
}

const APP = 'hello';
const SPACE = 'default';
const TEAM = 'main';
const PATIENCE_MS = 120_000;
const ANSWER_MS = 5_000;
const source = join(import.meta.dirname, '../../examples/node-hello');

/** Resolves when the app answers. Rejects with the reason and the build's or release's words when it cannot. */
export async function deploySample(options: SampleOptions): Promise<void> {
  const client = new Client({ baseUrl: options.apiUrl, token: options.token });
  const path = `/apps/${APP}-${SPACE}`;
  const known = await client.get<{ released_at: string | null }>(path).catch((error: unknown) => {
    if (error instanceof ClientError && error.status === 404) return null;
    throw error;
  });
  if (known === null)
    await client.post('/apps', { name: APP, space: SPACE, org: TEAM, description: 'The sample app of npm start' });
  if (known?.released_at) options.say(`the sample app ${APP} is there already`);
  else await build(client, path, options);
  options.say('waiting until it answers');
  await untilServes(client, path, options);
}

async function build(client: Client, path: string, { say, signal }: SampleOptions): Promise<void> {
  say('building the sample app from examples/node-hello');
  const archive = await archiveFolder(source);
  const { id } = await client.post<Build>(`${path}/builds`, {
    checksum: '',
    url: `data:application/gzip;base64,${archive.toString('base64')}`,
    version: 'sample',
    repo: '',
    sha: '',
  });
  const started = performance.now();
  while (performance.now() - started < PATIENCE_MS) {
    signal.throwIfAborted();
    const { status } = await client.get<Build>(`${path}/builds/${id}`);
    if (status === 'succeeded') return;
    if (status === 'failed') {
      const { lines } = await client.get<{ lines: readonly string[] }>(`${path}/builds/${id}/result`);
      throw new Error(`the sample app could not be built:\n${lines.slice(-15).join('\n')}`);
    }
    await wait(50, undefined, { signal });
  }
  throw new Error('the sample app was not built in time');
}

async function untilServes(client: Client, path: string, { routerUrl, host, signal }: SampleOptions): Promise<void> {
  const started = performance.now();
  let last = 'nothing';
  while (performance.now() - started < PATIENCE_MS) {
    signal.throwIfAborted();
    try {
      const status = await statusOf(routerUrl, host, signal);
      if (status === 200) return;
      last = `status ${status}`;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    await wait(50, undefined, { signal });
  }
  const releases = await client.get<readonly { state: string; status: string }[]>(`${path}/releases`);
  throw new Error(
    `the sample app did not answer in time (${last}); its last release is ${releases.at(-1)?.status ?? 'missing'}`,
  );
}

/** One request with a `Host` of its own, which fetch would not send; a name under `localhost` needs no resolver this way. */
function statusOf(url: string, host: string, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request(url, { headers: { host }, agent: false, timeout: ANSWER_MS, signal });
    call.once('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    call.once('error', reject);
    call.once('timeout', () => call.destroy(new Error('no answer in time')));
    call.end();
  });
}
