/**
 * Takes builds from the operations table, at most N at a time in this replica, under a lease with a heartbeat. A build whose server
 * died is taken over when its lease runs out; its sandbox job has the same name, so it is attached to and never doubled.
 */
import type { Build } from '../core/builds/build.ts';
import { buildLogStream } from '../core/builds/build-service.ts';
import type { Operation } from '../core/operations/operation.ts';
import { BuildFailure } from '../core/ports/builder.ts';
import { BuildOutcome } from './build-outcome.ts';
import type { ControlContext } from './control-context.ts';

const LEASE_MS = 6_000;
const HEARTBEAT_MS = 2_000;
const POLL_MS = 5_000;
const ATTEMPTS_MAX = 3;

export class BuildQueue {
  readonly #context: ControlContext;
  readonly #outcome: BuildOutcome;
  readonly #running = new Map<string, { abort: AbortController; done: Promise<void> }>();
  #stopped = true;
  #taking: Promise<void> | null = null;
  #again = false;
  #poll: NodeJS.Timeout | null = null;

  constructor(context: ControlContext) {
    this.#context = context;
    this.#outcome = new BuildOutcome(context);
  }

  start(): void {
    this.#stopped = false;
    this.#poll = setInterval(() => this.wake(), POLL_MS);
    this.wake();
  }

  /** Stops taking builds; those that run go on in the sandbox and are taken over by the next server. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#poll) clearInterval(this.#poll);
    for (const { abort } of this.#running.values()) abort.abort(new Error('the server stops'));
    await Promise.all([...this.#running.values()].map(({ done }) => done));
    await this.#taking;
  }

  /** Looks for work; with an operation's id also whether that one is to be cancelled. */
  wake(operationId?: string): void {
    if (this.#stopped) return;
    const running = operationId === undefined ? undefined : this.#running.get(operationId);
    if (running !== undefined && operationId !== undefined) void this.#checkCancel(operationId, running.abort);
    if (this.#taking !== null) {
      this.#again = true;
      return;
    }
    this.#taking = this.#take().finally(() => {
      this.#taking = null;
      if (this.#again) {
        this.#again = false;
        this.wake();
      }
    });
  }

  async #take(): Promise<void> {
    const { db, limits, logger } = this.#context;
    try {
      while (!this.#stopped && this.#running.size < limits.buildsAtOnce) {
        const operation = await db.operations.claim('build', this.#holder, LEASE_MS);
        if (operation === null) return;
        const abort = new AbortController();
        const done = this.#run(operation, abort)
          .catch((error: unknown) =>
            logger.error(
              { err: error, operation: operation.id },
              'a build could not be carried through; it is tried again',
            ),
          )
          .finally(() => {
            this.#running.delete(operation.id);
            this.wake();
          });
        this.#running.set(operation.id, { abort, done });
      }
    } catch (error) {
      logger.warn({ err: error }, 'the build queue could not be read; it is tried again');
    }
  }

  get #holder(): string {
    return this.#context.holder;
  }

  async #checkCancel(operationId: string, abort: AbortController): Promise<void> {
    const { db, logger } = this.#context;
    try {
      const { held, cancelRequested } = await db.operations.heartbeat(operationId, this.#holder, LEASE_MS);
      if (!held) abort.abort(new Error('the lease was lost'));
      else if (cancelRequested) abort.abort(new Error('cancelled'));
    } catch (error) {
      logger.warn({ err: error, operation: operationId }, 'the heartbeat of a build failed');
    }
  }

  async #run(operation: Operation, abort: AbortController): Promise<void> {
    const { db, builder } = this.#context;
    const build = operation.subjectId === null ? null : await db.builds.findAny(operation.subjectId);
    const app = build === null ? null : await db.apps.findAny(build.appId);
    if (
      build === null ||
      app === null ||
      app.deletedAt !== null ||
      operation.cancelRequested ||
      build.status === 'cancelled'
    ) {
      await db.operations.finish(operation.id, this.#holder, 'cancelled', null);
      return;
    }
    const heartbeat = setInterval(() => void this.#checkCancel(operation.id, abort), HEARTBEAT_MS);
    try {
      await this.#outcome.started(app, build);
      const output = await builder.build(
        {
          buildId: build.id,
          appId: app.id,
          appHandle: app.handle,
          spaceId: app.spaceId,
          runsImages: (await db.pools.find(app.poolId))?.engine !== 'process',
          source: build.source,
          environment: await db.config.resolve(app.id),
          logStream: buildLogStream(build.id),
        },
        abort.signal,
      );
      await this.#outcome.succeeded(app, build, operation, this.#holder, output);
    } catch (error) {
      await this.#failed(operation, build, abort.signal, error);
    } finally {
      clearInterval(heartbeat);
    }
  }

  async #failed(operation: Operation, build: Build, signal: AbortSignal, error: unknown): Promise<void> {
    const { db, logger } = this.#context;
    if (this.#stopped) {
      await db.operations.heartbeat(operation.id, this.#holder, 0);
      return;
    }
    const current = await db.operations.find(operation.id);
    if (signal.aborted && current?.cancelRequested === true) {
      await this.#outcome.cancelled(build, operation, this.#holder);
    } else if (error instanceof BuildFailure) {
      await this.#outcome.failed(build, operation, this.#holder, error.code, error.message);
    } else if (signal.aborted) {
      logger.warn({ build: build.id }, 'a build was left to whoever holds its lease now');
    } else if (operation.attempts >= ATTEMPTS_MAX) {
      logger.error({ err: error, build: build.id }, 'a build failed for a reason of the platform');
      await this.#outcome.failed(
        build,
        operation,
        this.#holder,
        'platform',
        'the platform could not run this build; try again, and tell the administrator if it stays so',
      );
    } else {
      logger.warn({ err: error, build: build.id }, 'a build stopped for a reason of the platform and is tried again');
      await db.operations.heartbeat(operation.id, this.#holder, 0);
    }
  }
}
