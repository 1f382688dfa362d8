import type { Actor } from '../access/actor.ts';
import { fetchApp } from '../apps/app-access.ts';
import type { Build } from '../builds/build.ts';
import { conflict, notFound } from '../errors.ts';
import { isId } from '../names.ts';
import type { Builder } from '../ports/builder.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Page, PageRequest } from '../ports/page.ts';
import { baseRelease } from './base-release.ts';
import { createRelease } from './create-release.ts';
import type { Release, StrategyName } from './release.ts';

export interface ReleaseOptions {
  readonly description?: string;
  readonly strategy?: StrategyName;
}

export class ReleaseService {
  readonly #context: CoreContext;
  readonly #builder: Pick<Builder, 'hasArtifact'>;
  constructor(context: CoreContext, builder: Pick<Builder, 'hasArtifact'>) {
    this.#context = context;
    this.#builder = builder;
  }

  /** Releases a finished build with the app's config of now. Throws conflict `build-not-finished`, `artifact-gone`. */
  async deploy(actor: Actor, reference: string, buildId: string, options: ReleaseOptions = {}): Promise<Release> {
    const { db } = this.#context;
    const app = await fetchApp(db, actor, reference, 'app.deploy');
    const build = isId(buildId) ? await db.builds.find(app.id, buildId) : null;
    if (build === null) throw notFound('build', buildId);
    const artifactDigest = finishedDigest(build);
    const artifact = await db.artifacts.find(artifactDigest);
    if (artifact === null || !(await this.#builder.hasArtifact(artifactDigest))) throw artifactGone();
    return db.transaction(async (stores) => {
      await stores.apps.lock(app.id);
      return createRelease(this.#context, stores, actor, app, {
        kind: 'deploy',
        processes: (await baseRelease(stores, app))?.processes ?? {},
        artifactDigest,
        buildId: build.id,
        commands: artifact.processes,
        strategy: options.strategy ?? 'one-by-one',
        description: options.description ?? `Deploy ${build.id.slice(0, 8)}`,
        rollbackOf: null,
        environment: await stores.config.resolve(app.id),
      });
    });
  }

  /** A new release of an old one's artifact and config. Throws conflict `artifact-gone` when it was pruned. */
  async rollback(
    actor: Actor,
    reference: string,
    releaseReference: string,
    options: ReleaseOptions = {},
  ): Promise<Release> {
    const { db } = this.#context;
    const app = await fetchApp(db, actor, reference, 'app.deploy.rollback');
    const old = await this.#find(app.id, releaseReference);
    const environment = await db.config.findSnapshot(old.configSnapshotId);
    if (environment === null || !(await this.#hasAll(old))) throw artifactGone();
    return db.transaction(async (stores) => {
      await stores.apps.lock(app.id);
      return createRelease(this.#context, stores, actor, app, {
        kind: 'rollback',
        processes: old.processes,
        artifactDigest: old.artifactDigest,
        buildId: old.buildId,
        commands: old.commands,
        strategy: options.strategy ?? 'one-by-one',
        description: options.description ?? `Rollback to ${old.id}`,
        rollbackOf: old.id,
        environment,
      });
    });
  }

  /** What the app should run: the release that is under way, else the one that is live. Null before the first. */
  async target(actor: Actor, reference: string): Promise<Release | null> {
    const app = await fetchApp(this.#context.db, actor, reference, 'app.read.info');
    return baseRelease(this.#context.db, app);
  }

  /** By id or version number (`7` or `v7`). */
  async get(actor: Actor, reference: string, releaseReference: string): Promise<Release> {
    const app = await fetchApp(this.#context.db, actor, reference, 'app.read.deploy');
    return this.#find(app.id, releaseReference);
  }

  /** Oldest first. */
  async list(
    actor: Actor,
    reference: string,
    kinds: readonly Release['kind'][],
    page: PageRequest,
  ): Promise<Page<Release>> {
    const app = await fetchApp(this.#context.db, actor, reference, 'app.read.deploy');
    return this.#context.db.releases.list(app.id, kinds, page);
  }

  async #hasAll({ artifactDigest, processes }: Release): Promise<boolean> {
    const digests = [artifactDigest, ...Object.values(processes).map((own) => own.artifactDigest)];
    const there = await Promise.all(digests.map((digest) => digest === null || this.#builder.hasArtifact(digest)));
    return there.every(Boolean);
  }

  async #find(appId: Release['appId'], reference: string): Promise<Release> {
    const version = /^v?(\d{1,9})$/.exec(reference)?.[1];
    const { releases } = this.#context.db;
    const release = isId(reference)
      ? await releases.find(appId, reference)
      : version === undefined
        ? null
        : await releases.findByVersion(appId, Number(version));
    if (release === null) throw notFound('release', reference);
    return release;
  }
}

const artifactGone = (): Error =>
  conflict('artifact-gone', 'what this release ran was pruned and cannot be run again; build it anew', 'artifact');

function finishedDigest(build: Build): string {
  if (build.status !== 'succeeded' || build.artifactDigest === null)
    throw conflict(
      'build-not-finished',
      `the build is ${build.status}, only one that succeeded can be released`,
      'build',
    );
  return build.artifactDigest;
}
