import type { Actor } from '../access/actor.ts';
import type { AppView } from '../apps/app.ts';
import { fetchApp } from '../apps/app-access.ts';
import type { Build, BuildDescription } from '../builds/build.ts';
import type { BuildService } from '../builds/build-service.ts';
import { conflict, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import type { Permission } from '../permissions.ts';
import type { Builder, SourceLocation } from '../ports/builder.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { LogBatches, LogReadOptions, LogStore } from '../ports/log-store.ts';
import { buildOutcome } from '../releases/release-event.ts';
import { type Deployment, type DeploymentPage, isUnderWay } from './deployment.ts';
import { refusalLines, sayInDeployment, stepLine } from './deployment-log.ts';

export interface CreateDeployment {
  readonly source: SourceLocation;
  readonly description?: Partial<BuildDescription>;
}

export class DeploymentService {
  readonly #context: CoreContext;
  readonly #builds: BuildService;
  readonly #builder: Pick<Builder, 'clearCache'>;
  readonly #logs: LogStore;
  constructor(context: CoreContext, builds: BuildService, builder: Pick<Builder, 'clearCache'>, logs: LogStore) {
    this.#context = context;
    this.#builds = builds;
    this.#builder = builder;
    this.#logs = logs;
  }

  /** Builds a source and releases it: the rest happens by itself, whoever leaves. `permission` is the one for this kind of source. */
  async create(
    actor: Actor,
    reference: string,
    input: CreateDeployment,
    permission: Permission = 'app.deploy.upload',
  ): Promise<Deployment> {
    const app = await fetchApp(this.#context.db, actor, reference, permission);
    const build = await this.begin(actor, app, input);
    return this.#find(app, build.id);
  }

  /** For whoever has checked already that the actor may deploy the app from such a source. */
  async begin(actor: Actor, app: AppView, input: CreateDeployment): Promise<Build> {
    const build = await this.#builds.create(onBehalf(actor, app), app.id, { ...input, autoRelease: true });
    const { branch, commit } = build.description;
    const what = [branch, commit.slice(0, 40)].filter((part) => part !== '').join(' at ');
    const title = `Build ${build.number} of ${app.handle}${what === '' ? '' : `: ${what}`}`;
    await this.#say(build, stepLine(title));
    return build;
  }

  /** Newest first. */
  async list(actor: Actor, reference: string, offset: number, limit: number): Promise<DeploymentPage> {
    const app = await fetchApp(this.#context.db, actor, reference, 'app.read.deploy');
    return this.#context.db.deployments.list(app.id, { offset, limit });
  }

  /** By the id of its build. */
  async get(actor: Actor, reference: string, id: string): Promise<Deployment> {
    return this.#find(await fetchApp(this.#context.db, actor, reference, 'app.read.deploy'), id);
  }

  /** Stops it, down to its processes: what ran before goes on. Throws conflict `deployment-finished`. */
  async cancel(actor: Actor, reference: string, id: string): Promise<Deployment> {
    const app = await fetchApp(this.#context.db, actor, reference, 'app.deploy.build');
    const { build, release, ...rest } = await this.#find(app, id);
    if (!isUnderWay({ build, release, ...rest }))
      throw conflict('deployment-finished', 'the deployment has ended already', 'deployment');
    if (release === null) await this.#builds.cancel(onBehalf(actor, app), app.id, build.id);
    else await this.#cancelRelease(actor, app, { build, release });
    return this.#find(app, id);
  }

  /** The whole log: the build's output and what the platform says before and after it. */
  async log(actor: Actor, reference: string, id: string, options: LogReadOptions): Promise<LogBatches> {
    return this.#builds.log(actor, reference, id, options);
  }

  /** The next build of the app starts without what builds before it kept. */
  async clearCache(actor: Actor, reference: string): Promise<void> {
    const app = await fetchApp(this.#context.db, actor, reference, 'app.deploy.build');
    await this.#builder.clearCache(app.id);
  }

  async #cancelRelease(
    actor: Actor,
    app: AppView,
    { build, release }: Pick<Deployment, 'build'> & { readonly release: NonNullable<Deployment['release']> },
  ): Promise<void> {
    const message = `cancelled by ${actor.name}`;
    await this.#context.db.transaction(async (stores) => {
      const cancelled = await stores.releases.advance(release.id, ['pending'], {
        status: 'failed',
        failureCode: 'cancelled',
        failureMessage: message,
        updatedAt: this.#context.clock.now(),
      });
      if (!cancelled) throw conflict('deployment-finished', 'the deployment has ended already', 'deployment');
      const outcome = buildOutcome(build, this.#context.clock.now());
      const data = {
        ...outcome,
        release: release.id,
        version: release.version,
        kind: 'deploy',
        code: 'cancelled',
        message,
      };
      await record(this.#context, stores, actor, 'ReleaseFailed', { app }, data);
      await stores.wake('app', app.id);
      await this.#say(build, refusalLines(`Release v${release.version} was ${message}`));
    });
  }

  async #find(app: AppView, id: string): Promise<Deployment> {
    const deployment = await this.#context.db.deployments.find(app.id, id);
    if (deployment === null) throw notFound('deployment', id);
    return deployment;
  }

  #say(build: Pick<Build, 'id'>, text: string): Promise<void> {
    return sayInDeployment({ logs: this.#logs, clock: this.#context.clock }, build.id, text);
  }
}

/** Who may deploy an app may do what a deployment is made of, there. */
const onBehalf = (actor: Actor, app: AppView): Actor => ({
  ...actor,
  grants: [{ permission: 'app', context: 'app', contextId: app.id }],
});
