/** A builder with everything around it in a folder of its own, gone when the test ends. */
import { createHmac, randomUUID } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { pack } from 'tar-stream';
import { removeTree } from '../../src/builders/artifacts/remove-tree.ts';
import { type BlobFolder, createBlobFolder } from '../../src/builders/blob-folder.ts';
import { type BuilderOptions, createBuilder } from '../../src/builders/builder.ts';
import type { BuildLimits } from '../../src/builders/limits.ts';
import type { Builder, BuildInput } from '../../src/core/ports/builder.ts';
import type { LogStore } from '../../src/core/ports/log-store.ts';
import type { Sandbox } from '../../src/core/ports/sandbox.ts';
import { Secret } from '../../src/core/ports/secret.ts';
import { systemClock, systemIds } from '../../src/lib/clock.ts';
import { createDialer } from '../../src/lib/dialer.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { createLogStore } from '../../src/logging/log-store.ts';
import { type BareSandbox, createBareSandbox, hasBubblewrap } from './bare-sandbox.ts';

export const never = new AbortController().signal;
export const exampleFolder = (name: string): string => new URL(`../../examples/${name}`, import.meta.url).pathname;

export interface Workbench {
  readonly folder: string;
  readonly builder: Builder;
  readonly sandbox: BareSandbox;
  readonly blobs: BlobFolder;
  /** A build of these archive bytes. */
  input(archive: Buffer, rest?: Partial<BuildInput> & { readonly env?: Readonly<Record<string, string>> }): BuildInput;
  /** The lines of a build's log. */
  log(input: BuildInput): Promise<string[]>;
  /** The path of a file in an artifact. */
  file(digest: string, path: string): string;
}

const undoings = new WeakMap<TestContext, (() => unknown)[]>();

/** Runs when the test ends, the last one first: what was made last goes before what it stands on. */
export function atEnd(t: TestContext, undo: () => unknown): void {
  const known = undoings.get(t);
  if (known !== undefined) {
    known.push(undo);
    return;
  }
  const list = [undo];
  undoings.set(t, list);
  t.after(async () => {
    for (const each of list.reverse()) await each();
  });
}

export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-builders-'));
  atEnd(t, () => removeTree(folder));
  return folder;
}

/** A sandbox of the caller's own, made with the log store that the builder uses. */
export interface OtherSandbox {
  readonly folder: string;
  readonly ownFileSystem: boolean;
  create(logs: LogStore): Promise<Sandbox>;
}

export async function createWorkbench(
  t: TestContext,
  limits: Partial<BuildLimits> = {},
  other: OtherSandbox | null = null,
  around: Pick<BuilderOptions, 'images' | 'credentials'> = {},
): Promise<Workbench> {
  const folder = other?.folder ?? (await temporaryFolder(t));
  const common = { dataFolder: folder, clock: systemClock, ids: systemIds, logger: silentLogger };
  const logs = createLogStore({ ...common, folder: join(folder, 'logs') });
  atEnd(t, () => logs.close());
  const sandbox = createBareSandbox(logs);
  const dialer = createDialer({ allowPrivate: true, allow: [] });
  atEnd(t, () => dialer.close());
  const digestOf = (text: string): string => createHmac('sha256', 'key of the test').update(text).digest('hex');
  const used = other === null ? { sandbox } : { sandbox: await other.create(logs), ownFileSystem: other.ownFileSystem };
  const builder = createBuilder({ ...common, ...used, ...around, logs, dialer, digestOf, limits });
  return {
    folder,
    builder,
    sandbox,
    blobs: createBlobFolder(common),
    input(archive, { env = {}, ...rest } = {}) {
      const buildId = randomUUID();
      const url = new Secret(`data:application/gzip;base64,${archive.toString('base64')}`);
      const environment = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, new Secret(value)]));
      const source = { kind: 'archive', url, checksum: null } as const;
      const ids = { buildId, appId: randomUUID(), appHandle: 'app', spaceId: randomUUID() };
      return { ...ids, source, environment, logStream: `builds/${buildId}`, ...rest };
    },
    async log(input) {
      const lines: string[] = [];
      for await (const batch of await logs.read(input.logStream, { lines: 10_000, follow: false })) {
        lines.push(...batch.lines.map((line) => line.text));
      }
      return lines;
    },
    file: (digest, path) => join(folder, 'artifacts', digest.slice('sha256:'.length), 'tree', path),
  };
}

/** Skips where the machine cannot run jobs; in CI that is a failure. */
export function needsSandbox(t: TestContext): boolean {
  if (hasBubblewrap || process.env.CI === 'true') return true;
  t.skip('bubblewrap is not installed');
  return false;
}

type TarEntry = Parameters<ReturnType<typeof pack>['entry']>[0] & { readonly text?: string };

/** A tar of exactly these entries, whatever they are. */
export async function tarOf(entries: readonly TarEntry[]): Promise<Buffer> {
  const tar = pack();
  for (const { text, ...header } of entries) {
    if (text === undefined) tar.entry(header);
    else tar.entry({ ...header, size: Buffer.byteLength(text) }, text);
  }
  tar.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of tar) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

/** A tar of plain files; a name that ends in `*` is executable. */
export const tarOfFiles = (files: Readonly<Record<string, string>>): Promise<Buffer> =>
  tarOf(
    Object.entries(files).map(([name, text]) => ({
      name: name.replace(/\*$/, ''),
      mode: name.endsWith('*') ? 0o755 : 0o644,
      text,
    })),
  );
