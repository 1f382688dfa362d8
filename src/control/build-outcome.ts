/** Writes what became of a build: its row, its event, its operation, and the release that follows it, in one transaction each. */
import { systemActor } from '../core/access/actor.ts';
import type { App } from '../core/apps/app.ts';
import type { Build } from '../core/builds/build.ts';
import { sayInDeployment, stepLine } from '../core/deployments/deployment-log.ts';
import { record } from '../core/events/record.ts';
import type { Operation } from '../core/operations/operation.ts';
import type { BuildOutput } from '../core/ports/builder.ts';
import { baseRelease } from '../core/releases/base-release.ts';
import { createRelease } from '../core/releases/create-release.ts';
import { buildOutcome } from '../core/releases/release-event.ts';
import type { ControlContext } from './control-context.ts';
import { noteInAppLog } from './reconciler/app-log.ts';

/** An app with this feature on is released when a build of it succeeds. */
export const AUTO_RELEASE = 'auto-release';

export class BuildOutcome {
  readonly #context: ControlContext;
  constructor(context: ControlContext) {
    this.#context = context;
  }

  async started(app: App, build: Build): Promise<void> {
    const { db, clock } = this.#context;
    const now = clock.now();
    const first = await db.builds.advance(build.id, ['queued'], { status: 'running', startedAt: now, updatedAt: now });
    if (!first) return;
    await record(this.#context, db, systemActor, 'BuildStarted', { app }, { build: build.id });
    await noteInAppLog(this.#context, app.id, 'Slug compilation started');
  }

  async succeeded(app: App, build: Build, operation: Operation, holder: string, output: BuildOutput): Promise<void> {
    const { db, clock } = this.#context;
    const now = clock.now();
    await db.transaction(async (stores) => {
      const locked = await stores.apps.lock(app.id);
      await stores.artifacts.insert({
        digest: output.artifactDigest,
        sizeBytes: output.sizeBytes,
        processes: output.processes,
        buildpack: output.buildpack,
        createdAt: now,
      });
      const finished = await stores.operations.finish(operation.id, holder, 'succeeded', null);
      const advanced =
        finished &&
        (await stores.builds.advance(build.id, ['queued', 'running'], {
          status: 'succeeded',
          artifactDigest: output.artifactDigest,
          finishedAt: now,
          updatedAt: now,
        }));
      if (!advanced) return;
      await record(
        this.#context,
        stores,
        systemActor,
        'BuildSucceeded',
        { app },
        { build: build.id, artifact: output.artifactDigest, reused: output.reused },
      );
      if (locked === null || locked.deletedAt !== null) return;
      if (!build.autoRelease && locked.features[AUTO_RELEASE] !== true) return;
      const release = await createRelease(this.#context, stores, { name: build.createdBy, userId: null }, locked, {
        kind: 'deploy',
        processes: (await baseRelease(stores, locked))?.processes ?? {},
        artifactDigest: output.artifactDigest,
        buildId: build.id,
        commands: output.processes,
        strategy: 'one-by-one',
        description: build.autoRelease ? deployed(build) : `Auto-Deploy ${build.id.slice(0, 8)}`,
        rollbackOf: null,
        environment: await stores.config.resolve(app.id),
      });
      // Before others see the release: who watches it reads the log to its end when it has ended.
      if (build.autoRelease)
        await sayInDeployment(this.#context, build.id, stepLine(`Release v${release.version}: starting it`));
    });
    await noteInAppLog(this.#context, app.id, 'Slug compilation finished');
  }

  async failed(build: Build, operation: Operation, holder: string, code: string, message: string): Promise<void> {
    const { db, clock } = this.#context;
    const now = clock.now();
    const app = await db.apps.findAny(build.appId);
    await db.transaction(async (stores) => {
      if (!(await stores.operations.finish(operation.id, holder, 'failed', message))) return;
      const advanced = await stores.builds.advance(build.id, ['queued', 'running'], {
        status: 'failed',
        failureCode: code,
        failureMessage: message,
        finishedAt: now,
        updatedAt: now,
      });
      if (advanced && app !== null)
        await record(
          this.#context,
          stores,
          systemActor,
          'BuildFailed',
          { app },
          { ...buildOutcome(build, now), code, message },
        );
    });
    await noteInAppLog(this.#context, build.appId, `Slug compilation failed: ${message.split('\n')[0] ?? ''}`);
  }

  async cancelled(build: Build, operation: Operation, holder: string): Promise<void> {
    const { db, clock } = this.#context;
    const now = clock.now();
    await db.operations.finish(operation.id, holder, 'cancelled', null);
    await db.builds.advance(build.id, ['queued', 'running'], { status: 'cancelled', finishedAt: now, updatedAt: now });
    await noteInAppLog(this.#context, build.appId, 'Slug compilation cancelled');
  }
}

const deployed = ({ id, description }: Build): string => `Deploy ${(description.commit || id).slice(0, 10)}`;
