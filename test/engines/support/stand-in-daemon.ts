/** A server at a socket of its own that stands in for a Docker daemon: for what a real one does only when it is ill. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { DockerApi } from '../../../src/engines/docker/api/docker-api.ts';

export type Answer = (request: IncomingMessage, response: ServerResponse) => unknown;

export interface StandInDaemon {
  readonly api: DockerApi;
  readonly server: Server;
  /** Of its socket. */
  readonly path: string;
  /** Its own, for whatever else the test keeps. */
  readonly folder: string;
}

export const daemonVersion = { Version: '20.10.24', ApiVersion: '1.41', MinAPIVersion: '1.12' };

/** It says its version, and else what the test wants. Ends with the test. */
export async function standInDaemon(
  t: TestContext,
  answer: Answer,
  version: object = daemonVersion,
): Promise<StandInDaemon> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-daemon-'));
  const path = join(folder, 'socket');
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/version')) response.end(JSON.stringify(version));
    else answer(request, response);
  });
  server.listen(path);
  await once(server, 'listening');
  const api = new DockerApi({ kind: 'unix', path });
  t.after(() => {
    api.lose();
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true });
  });
  return { api, server, path, folder };
}
