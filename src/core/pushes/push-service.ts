/**
 * A push of source: deployed, and told about while it goes, the same for every door it comes through and every dialect. What was begun goes
 * on when the person who pushed leaves.
 */
import type { Actor } from '../access/actor.ts';
import type { AppView } from '../apps/app.ts';
import { fetchApp } from '../apps/app-access.ts';
import { buildLogStream } from '../builds/build-service.ts';
import { type Deployment, isUnderWay } from '../deployments/deployment.ts';
import { sayInDeployment } from '../deployments/deployment-log.ts';
import type { DeploymentService } from '../deployments/deployment-service.ts';
import { conflict, notFound } from '../errors.ts';
import type { Id } from '../names.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { LogStore } from '../ports/log-store.ts';
import { Secret } from '../ports/secret.ts';
import type { Push, PushResult } from './push.ts';
import { untilChanged } from './until-changed.ts';

/** A server that died frees its app for pushes after this. */
const LEASE_MS = 30_000;
const HEARTBEAT_MS = 10_000;
/** More than any build may write. */
const LINES_MAX = 10_000_000;

export interface PushOptions {
  /** Hears each line of the deployment's log for the person who pushed, as it comes. */
  readonly say: (line: string) => void;
  /** Last lines for this result; they join the log. */
  readonly closing: (result: PushResult) => readonly string[];
  /** Ends the watching; the deployment goes on. */
  readonly signal: AbortSignal;
}

export class PushService {
  readonly #context: CoreContext;
  readonly #deployments: DeploymentService;
  readonly #logs: LogStore;
  constructor(context: CoreContext, deployments: DeploymentService, logs: LogStore) {
    this.#context = context;
    this.#deployments = deployments;
    this.#logs = logs;
  }

  /**
   * The app, for who may push to it; the same may fetch back what was pushed. Throws `not-found` for another's app as for none, and
   * `forbidden`.
   */
  appFor(actor: Actor, reference: string): Promise<AppView> {
    return fetchApp(this.#context.db, actor, reference, 'app.deploy.git');
  }

  /**
   * Deploys what was pushed, and resolves when it runs or will not. Throws conflict `push-under-way` while another push of the app is being
   * deployed.
   */
  async deploy(actor: Actor, reference: string, push: Push, options: PushOptions): Promise<PushResult> {
    const app = await this.appFor(actor, reference);
    const freed = await this.#occupy(app);
    try {
      const url = new Secret(`upload:${await push.store()}`);
      const source = { kind: 'archive', url, checksum: null } as const;
      const { id } = await this.#deployments.begin(actor, app, { source, description: push.description });
      const deployment = await this.#follow(app, id, options);
      const result: PushResult = { deployment, failure: failureOf(deployment) };
      const lines = options.closing(result);
      await sayInDeployment({ logs: this.#logs, clock: this.#context.clock }, id, ...lines);
      for (const line of lines) options.say(line);
      return result;
    } finally {
      await freed();
    }
  }

  /** One push of an app at a time; gives the way to free it. */
  async #occupy(app: AppView): Promise<() => Promise<void>> {
    const { leases } = this.#context.db;
    const name = `push/${app.id}`;
    const holder = this.#context.ids.id();
    if (!(await leases.acquire(name, holder, LEASE_MS)))
      throw conflict('push-under-way', `another push of ${app.handle} is being deployed; push again when it has ended`);
    const heartbeat = setInterval(() => void leases.acquire(name, holder, LEASE_MS).catch(() => {}), HEARTBEAT_MS);
    return async () => {
      clearInterval(heartbeat);
      // Otherwise it runs out by itself.
      await leases.release(name, holder).catch(() => {});
    };
  }

  /** Says the log until the deployment has ended; every line once, also those written just before the end. */
  async #follow(app: AppView, id: Id<'build'>, { say, signal }: PushOptions): Promise<Deployment> {
    const read = async (options: { follow: boolean; signal?: AbortSignal }, from: number): Promise<number> => {
      let at = 0;
      const batches = await this.#logs.read(buildLogStream(id), { lines: LINES_MAX, ...options });
      for await (const { lines, dropped } of batches) {
        at += dropped;
        for (const { text } of lines) {
          at += 1;
          if (at > from) say(text);
        }
      }
      return at;
    };
    const ended = new AbortController();
    const following = read({ follow: true, signal: AbortSignal.any([ended.signal, signal]) }, 0);
    // Awaited below; until then it is nobody's unhandled rejection.
    following.catch(() => {});
    const deployment = await untilChanged(this.#context.db, signal, async () => {
      const now = await this.#context.db.deployments.find(app.id, id);
      if (now === null) throw notFound('deployment', id);
      return isUnderWay(now) ? null : now;
    }).finally(() => ended.abort());
    await read({ follow: false }, await following);
    return deployment;
  }
}

function failureOf({ build, release }: Deployment): string | null {
  if (build.status !== 'succeeded') return build.failureMessage ?? `the build was ${build.status}`;
  if (release?.status === 'succeeded') return null;
  return release?.failureMessage ?? 'it was replaced by a newer release before it ran';
}
