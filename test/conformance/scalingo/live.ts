/** A whole platform under the Scalingo API, and the steps that clients make: an app, an upload, a deployment that ends. */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import WebSocket from 'ws';
import { startPlatform, type TestPlatform } from '../../support/platform.ts';
import { type Answer, call } from '../../support/served.ts';
import { archiveUri } from '../../support/source.ts';
import { until } from '../../support/until.ts';
import { basic } from './served.ts';

export interface WireDeployment {
  readonly id: string;
  readonly app_id: string;
  readonly created_at: string;
  readonly finished_at: string | null;
  readonly duration: number;
  readonly git_ref: string | null;
  readonly status: string;
  readonly pusher: { readonly id: string; readonly username: string; readonly email: string };
  readonly links: { readonly output: string };
}
export interface WireApp {
  readonly name: string;
  readonly git_url: string;
  readonly links: { readonly deployments_stream: string };
}

/** The bytes of a tgz with these files below one folder, as the command line client packs them. */
export async function archiveOf(files: Readonly<Record<string, string>>, folder = 'master'): Promise<Buffer> {
  const below = Object.entries(files).map(([name, content]) => [`${folder}/${name}`, content]);
  const uri = await archiveUri(Object.fromEntries(below));
  return Buffer.from(uri.slice(uri.indexOf(',') + 1), 'base64');
}

export function livePlatform(environment: Readonly<Record<string, string>> = {}) {
  const endings: (() => Promise<void>)[] = [];
  let started: TestPlatform | null = null;
  before(async () => {
    const scope = { after: (work: () => Promise<void>) => void endings.push(work) };
    started = await startPlatform(scope, { environment });
  });
  after(async () => {
    for (const end of endings) await end();
  });
  const platform = (): TestPlatform => {
    if (started === null) throw new Error('no platform runs yet');
    return started;
  };
  const url = (): string => `http://127.0.0.1:${platform().port + 4}`;
  const as =
    (token: string) =>
    (method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer> =>
      call(path.startsWith('http') ? '' : url(), method, path.startsWith('http') ? path : `/v1${path}`, {
        as: basic(token),
        ...(body === undefined ? {} : { body }),
        ...(headers === undefined ? {} : { headers }),
      });
  const send = (method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer> =>
    as(platform().token)(method, path, body, headers);

  async function createApp(name: string): Promise<WireApp> {
    const answer = await send('POST', '/apps', { app: { name } });
    assert.equal(answer.status, 201, answer.text);
    return answer.json<{ app: WireApp }>().app;
  }

  /** As `deploy` of the client does: the addresses, the upload without credentials; gives the address for the deployment. */
  async function upload(bytes: Buffer): Promise<string> {
    const { source } = (await send('POST', '/sources', {})).json<{
      source: { upload_url: string; download_url: string };
    }>();
    const put = await fetch(source.upload_url, {
      method: 'PUT',
      headers: { 'content-type': 'application/x-gzip' },
      body: new Uint8Array(bytes),
    });
    assert.equal(put.status, 200, await put.text());
    return source.download_url;
  }

  async function startDeployment(
    app: string,
    files: Readonly<Record<string, string>>,
    ref: string | null = null,
  ): Promise<WireDeployment> {
    const source_url = await upload(await archiveOf(files));
    const answer = await send('POST', `/apps/${app}/deployments`, { deployment: { git_ref: ref, source_url } });
    assert.equal(answer.status, 201, answer.text);
    return answer.json<{ deployment: WireDeployment }>().deployment;
  }

  const deploymentOf = async (app: string, id: string): Promise<WireDeployment> =>
    (await send('GET', `/apps/${app}/deployments/${id}`)).json<{ deployment: WireDeployment }>().deployment;

  const outputOf = async (deployment: WireDeployment): Promise<string> =>
    (await send('GET', deployment.links.output)).text;

  /** The deployment once it has ended. */
  const ended = (app: string, id: string): Promise<WireDeployment> =>
    until(
      `deployment ${id} ends`,
      async () => {
        const found = await deploymentOf(app, id);
        return ['building', 'pushing', 'starting'].includes(found.status) ? null : found;
      },
      90_000,
      50,
    );

  /** An app that runs these files. */
  async function runningApp(name: string, files: Readonly<Record<string, string>>): Promise<WireApp> {
    const app = await createApp(name);
    const { id } = await startDeployment(name, files);
    const { status, links } = await ended(name, id);
    assert.equal(status, 'success', (await send('GET', links.output)).text);
    return app;
  }

  return {
    platform,
    url,
    as,
    send,
    createApp,
    upload,
    startDeployment,
    deploymentOf,
    outputOf,
    ended,
    runningApp,
  };
}

export interface Frames<T> {
  readonly frames: readonly T[];
  readonly socket: WebSocket;
  /** The code with which it was closed; null while it is open. */
  closed(): number | null;
}

/** A WebSocket with all frames that came so far. */
export function listen<T>(t: { after(work: () => void): void }, address: string, first?: object): Frames<T> {
  const frames: T[] = [];
  let code: number | null = null;
  const socket = new WebSocket(address, { origin: 'http://scalingo-cli.local/1' });
  socket.on('open', () => {
    if (first !== undefined) socket.send(JSON.stringify(first));
  });
  socket.on('message', (data) => void frames.push(JSON.parse(data.toString()) as T));
  socket.on('close', (number) => {
    code = number;
  });
  // A refused handshake is an error event; the close that follows is what tests look at.
  socket.on('error', () => {});
  t.after(() => socket.terminate());
  return { frames, socket, closed: () => code };
}
