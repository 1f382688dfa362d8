/** An agent in this process with a data folder of its own, as the conformance suite wants it. */
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogLine } from '../../../src/core/ports/log-store.ts';
import type { ConformanceHarness } from '../../../src/engines/conformance/harness.ts';
import { programs } from '../../../src/engines/conformance/programs.ts';
import { runAgent } from '../../../src/engines/process/agent.ts';
import { createProcessEngine } from '../../../src/engines/process/client.ts';
import type { AgentOptions } from '../../../src/engines/process/settings.ts';
import { systemClock, systemIds } from '../../../src/lib/clock.ts';
import { silentLogger } from '../../../src/lib/logger.ts';

const hex = 'c0'.repeat(32);
export const artifactDigest = `sha256:${hex}`;

/** A fresh data folder that holds the suite's artifact. */
export function makeDataFolder(): string {
  const dataFolder = mkdtempSync(join(tmpdir(), 'berth-engine-'));
  chmodSync(dataFolder, 0o700);
  const tree = join(dataFolder, 'artifacts', hex, 'tree');
  mkdirSync(tree, { recursive: true });
  for (const [name, text] of Object.entries(programs)) writeFileSync(join(tree, name), text);
  return dataFolder;
}

export interface ProcessHarness extends ConformanceHarness {
  /** What names of this install's namespaces and groups begin with. */
  readonly installId: string;
}

export async function processHarness(
  options: Pick<AgentOptions, 'isolation' | 'cgroups' | 'allowHostPorts' | 'elsewhere'> & {
    /** Kinds of isolation that must be there on the machine of the continuous checks. */
    readonly required?: readonly string[];
  },
): Promise<ProcessHarness> {
  const dataFolder = makeDataFolder();
  const streams = new Map<string, LogLine[]>();
  const logAppender = {
    append: async (stream: string, lines: readonly LogLine[]) => {
      const kept = streams.get(stream) ?? [];
      for (const line of lines) kept.push(line);
      streams.set(stream, kept);
    },
  };
  const agent = await runAgent({
    ...options,
    dataFolder,
    logAppender,
    logger: silentLogger,
    clock: systemClock,
    ids: systemIds,
  });
  const connect = () =>
    createProcessEngine({ socketPath: join(dataFolder, 'run', 'agent.sock'), logger: silentLogger });
  const clients = [connect()];
  const [engine] = clients;
  if (engine === undefined) throw new Error('no client');
  const host = createServer((_request, response) => response.end('the host'));
  await new Promise<void>((resolve) => host.listen(0, '0.0.0.0', resolve));
  const hostAddresses = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address);
  let folders = 0;
  return {
    engine,
    real: true,
    installId: createHash('sha256').update(dataFolder).digest('hex'),
    artifactDigest,
    id: systemIds.id,
    lines: (stream) => streams.get(stream) ?? [],
    folder: () => {
      const folder = join(dataFolder, `job-${folders++}`);
      mkdirSync(folder);
      return folder;
    },
    reconnect: async () => {
      const client = connect();
      clients.push(client);
      return client;
    },
    forbidden: { path: dataFolder, hostPort: (host.address() as AddressInfo).port, hostAddresses },
    required: process.env.CI === 'true' ? (options.required ?? []) : [],
    close: async () => {
      for (const client of clients) client.close();
      await agent.close({ everything: true });
      host.close();
      rmSync(dataFolder, { recursive: true, force: true });
    },
  };
}
