/** What an engine brings to the conformance suite, and how the suite waits: on conditions, never for a time. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Engine, EngineInstance, InstanceSpec } from '../../core/ports/engine.ts';
import type { LogLine } from '../../core/ports/log-store.ts';
import type { Sandbox } from '../../core/ports/sandbox.ts';
import { Secret } from '../../core/ports/secret.ts';
import type { ProgramName } from './programs.ts';

export interface ConformanceHarness {
  readonly engine: Engine & Sandbox;
  /** Whether commands run as real processes; the tests of limits, bytes and isolation need that. */
  readonly real: boolean;
  /** The digest of an artifact that holds all programs. */
  readonly artifactDigest: string;
  /** A new id. */
  id(): string;
  /** Lines of a log stream so far. */
  lines(stream: string): readonly LogLine[];
  /** A folder of the host for a job. */
  folder(): string;
  /** Another client, as after a restart of the server. */
  reconnect(): Promise<Engine & Sandbox>;
  /** A path and a port of the host that no instance may reach, for engines that isolate. */
  readonly forbidden: {
    readonly path: string;
    readonly hostPort: number;
    readonly hostAddresses: readonly string[];
  } | null;
  /** Kinds of isolation whose absence is a failure rather than a reason to skip. */
  readonly required: readonly string[];
  close(): Promise<void>;
}

/** How a test reaches the harness, which only exists while the suite runs. */
export type Current = () => ConformanceHarness;

const patienceMs = 60_000;

/** Resolves with the first value that is neither undefined, null nor false; rejects with `what` after a minute. */
export async function until<T>(what: string, look: () => T | Promise<T>): Promise<NonNullable<T>> {
  const end = performance.now() + patienceMs;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== null && value !== false) return value as NonNullable<T>;
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`);
    await delay(10);
  }
}

export function specFor(
  harness: ConformanceHarness,
  program: ProgramName,
  args: readonly string[] = [],
  change: Partial<InstanceSpec> = {},
): InstanceSpec {
  return {
    id: harness.id(),
    kind: 'process',
    appId: harness.id(),
    appHandle: 'conformance',
    spaceId: 'conformance',
    processType: 'web',
    generation: 'g1',
    artifactDigest: harness.artifactDigest,
    command: ['node', program, ...args],
    environment: { MESSAGE: new Secret('hello') },
    ports: 'any',
    limits: { memoryBytes: 256 * 2 ** 20, cpuShares: 1024, pids: 100 },
    graceMs: 5_000,
    ...change,
  };
}

export async function find(engine: Engine, id: string): Promise<EngineInstance | undefined> {
  return (await engine.list()).find((instance) => instance.id === id);
}

export async function untilState(engine: Engine, id: string, state: EngineInstance['state']): Promise<EngineInstance> {
  return until(`${id} ${state}`, async () => {
    const instance = await find(engine, id);
    return instance?.state === state ? instance : undefined;
  });
}

/** The text lines of an app's log that the app itself wrote. */
export function appLines(harness: ConformanceHarness, spec: InstanceSpec): string[] {
  return harness
    .lines(`apps/${spec.appId}`)
    .filter((line) => line.source === 'app')
    .map((line) => line.text);
}

export async function untilLine(harness: ConformanceHarness, spec: InstanceSpec, text: string): Promise<void> {
  await until(`the line ${JSON.stringify(text)}`, () => appLines(harness, spec).includes(text));
}

/** What answers at an instance's address, once something does. */
export function answer(address: EngineInstance['address']): Promise<string> {
  return until('an answer', () =>
    fetch(`http://${address?.host}:${address?.port}/`).then(
      (response) => response.text(),
      () => null,
    ),
  );
}

/** What the program `ask.js` says inside an instance, a line for each word. */
export async function ask(
  harness: ConformanceHarness,
  spec: InstanceSpec,
  words: readonly string[],
): Promise<string[]> {
  const session = await harness.engine.exec(spec.id, { command: ['node', 'ask.js', ...words] });
  return (await drain(session.stdout)).toString().trimEnd().split('\n');
}

/** All of a stream as bytes. */
export async function drain(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Buffer));
  return Buffer.concat(chunks);
}

/** Whether the engine says that this kind of isolation is in force; throws when the harness requires it and it is not. */
export async function inForce(harness: ConformanceHarness, what: string): Promise<boolean> {
  const { isolation } = await harness.engine.describe();
  const line = isolation.find((each) => each.what === what);
  if (line?.inForce !== true && harness.required.includes(what)) throw new Error(`${what}: ${line?.how}`);
  return line?.inForce === true;
}
