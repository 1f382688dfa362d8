import type { Actor } from '../access/actor.ts';
import { demandOn } from '../access/authorize.ts';
import { fetchApp, placeOf, startOperation } from '../apps/app-access.ts';
import { conflict, invalid, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { isId } from '../names.ts';
import type { SourceLocation } from '../ports/builder.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { LogBatches, LogReadOptions, LogStore } from '../ports/log-store.ts';
import type { Page, PageRequest } from '../ports/page.ts';
import { buildOutcome } from '../releases/release-event.ts';
import type { Build, BuildDescription } from './build.ts';

export interface CreateBuild {
  readonly source: SourceLocation;
  readonly description?: Partial<BuildDescription>;
  /** Released as soon as it has succeeded. */
  readonly autoRelease?: boolean;
}

const nothing: BuildDescription = {
  checksum: '',
  version: '',
  commit: '',
  branch: '',
  author: '',
  repository: '',
  message: '',
};
export const buildLogStream = (buildId: string): string => `builds/${buildId}`;

export class BuildService {
  readonly #context: CoreContext;
  readonly #logs: LogStore;
  constructor(context: CoreContext, logs: LogStore) {
    this.#context = context;
    this.#logs = logs;
  }

  /** Queues a build. */
  async create(actor: Actor, reference: string, input: CreateBuild): Promise<Build> {
    const { db, clock, ids } = this.#context;
    const app = await fetchApp(db, actor, reference, 'app.deploy.build');
    checkSource(input.source);
    return db.transaction(async (stores) => {
      await stores.apps.lock(app.id);
      const now = clock.now();
      const build: Build = {
        id: ids.id(),
        appId: app.id,
        number: await stores.builds.nextNumber(app.id),
        status: 'queued',
        source: input.source,
        description: { ...nothing, ...input.description },
        autoRelease: input.autoRelease === true,
        artifactDigest: null,
        failureCode: null,
        failureMessage: null,
        createdBy: actor.name,
        createdAt: now,
        startedAt: null,
        finishedAt: null,
        updatedAt: now,
      };
      await stores.builds.insert(build);
      await record(this.#context, stores, actor, 'BuildCreated', { app }, { build: build.id, number: build.number });
      await startOperation(this.#context, stores, 'build', app.id, build.id);
      return build;
    });
  }

  /** Builds the same source again. */
  async rebuild(actor: Actor, reference: string, buildId: string): Promise<Build> {
    const build = await this.get(actor, reference, buildId);
    return this.create(actor, reference, {
      source: build.source,
      description: build.description,
      autoRelease: build.autoRelease,
    });
  }

  async get(actor: Actor, reference: string, buildId: string): Promise<Build> {
    const app = await fetchApp(this.#context.db, actor, reference, 'app.read.deploy');
    const build = isId(buildId) ? await this.#context.db.builds.find(app.id, buildId) : null;
    if (build === null) throw notFound('build', buildId);
    return build;
  }

  /** By the build's id alone; also after its app was deleted, for those who may read apps everywhere. */
  async getAny(actor: Actor, buildId: string): Promise<Build> {
    const { db } = this.#context;
    const build = isId(buildId) ? await db.builds.findAny(buildId) : null;
    if (build === null) throw notFound('build', buildId);
    const app = await db.apps.findAny(build.appId);
    demandOn(actor, 'build', buildId, 'app.read', 'app.read.deploy', app === null ? {} : placeOf(app));
    return build;
  }

  /** Oldest first. */
  async list(actor: Actor, reference: string, page: PageRequest): Promise<Page<Build>> {
    const app = await fetchApp(this.#context.db, actor, reference, 'app.read.deploy');
    return this.#context.db.builds.list(app.id, page);
  }

  /** Stops a queued or running build, down to its processes. Throws conflict `build-finished`. */
  async cancel(actor: Actor, reference: string, buildId: string): Promise<Build> {
    const { db, clock } = this.#context;
    const app = await fetchApp(db, actor, reference, 'app.deploy.build');
    const build = await this.get(actor, reference, buildId);
    await db.transaction(async (stores) => {
      const now = clock.now();
      const advanced = await stores.builds.advance(build.id, ['queued', 'running'], {
        status: 'cancelled',
        finishedAt: now,
        updatedAt: now,
        failureCode: 'cancelled',
        failureMessage: `cancelled by ${actor.name}`,
      });
      if (!advanced) throw conflict('build-finished', 'the build has ended already', 'build');
      await this.#sayCancelled(build.id, now);
      const operation = await stores.operations.findBySubject(build.id);
      if (operation !== null) {
        await stores.operations.requestCancel(operation.id);
        await stores.wake('operation', operation.id);
      }
      await record(this.#context, stores, actor, 'BuildCancelled', { app }, buildOutcome(build, now));
    });
    return this.get(actor, reference, buildId);
  }

  /** Before others see it: who watches reads the log to its end when the build has ended. */
  #sayCancelled(buildId: string, at: Date): Promise<void> {
    const text = ' !     The build was cancelled';
    const line = { at, source: 'build', process: '', instance: '', seat: '', text } as const;
    return this.#logs.append(buildLogStream(buildId), [line]);
  }

  /** The build's log, live when asked to follow; ends when the build has ended. */
  async log(actor: Actor, reference: string, buildId: string, options: LogReadOptions): Promise<LogBatches> {
    const build = await this.get(actor, reference, buildId);
    return this.#logs.read(buildLogStream(build.id), options);
  }
}

function checkSource(source: SourceLocation): void {
  if (source.kind === 'image') return;
  const url = source.url.reveal();
  if (!/^(https?:\/\/|data:|upload:)/i.test(url))
    throw invalid('source.url', 'the source must be an http(s): or data: URL of an archive', 'malformed');
}
