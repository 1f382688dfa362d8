/**
 * A push of source: built, released, and told about while it goes, the same for every door it comes through and every dialect. What was
 * begun goes on when the person who pushed leaves.
 */
import type { Actor } from '../access/actor.ts';
import type { AppView } from '../apps/app.ts';
import { fetchApp } from '../apps/app-access.ts';
import type { Build } from '../builds/build.ts';
import type { BuildService } from '../builds/build-service.ts';
import { conflict } from '../errors.ts';
import type { CoreContext } from '../ports/core-context.ts';
import { Secret } from '../ports/secret.ts';
import type { Release } from '../releases/release.ts';
import type { ReleaseService } from '../releases/release-service.ts';
import type { Push, PushResult } from './push.ts';
import { untilChanged } from './until-changed.ts';

/** A server that died frees its app for pushes after this. */
const LEASE_MS = 15_000;
const HEARTBEAT_MS = 5_000;
/** More than any build may write. */
const LINES_MAX = 10_000_000;
const PAGE = 1_000;

export interface PushOptions {
  /** Hears each line for the person who pushed, as it comes: the platform's words and the build's output. */
  readonly say: (line: string) => void;
  /** Ends the watching; the build goes on. */
  readonly signal: AbortSignal;
}

export class PushService {
  readonly #context: CoreContext;
  readonly #builds: BuildService;
  readonly #releases: ReleaseService;
  constructor(context: CoreContext, builds: BuildService, releases: ReleaseService) {
    this.#context = context;
    this.#builds = builds;
    this.#releases = releases;
  }

  /**
   * The app, for who may push to it; the same may fetch back what was pushed. Throws `not-found` for another's app as for none, and
   * `forbidden`.
   */
  appFor(actor: Actor, reference: string): Promise<AppView> {
    return fetchApp(this.#context.db, actor, reference, 'app.deploy.git');
  }

  /**
   * Builds and releases what was pushed, and resolves when it runs or will not. Throws conflict `push-under-way` while another push of the
   * app is being deployed.
   */
  async deploy(actor: Actor, reference: string, push: Push, { say, signal }: PushOptions): Promise<PushResult> {
    const app = await this.appFor(actor, reference);
    const own = onBehalf(actor, app);
    const freed = await this.#occupy(app);
    try {
      const url = new Secret(`upload:${await push.store()}`);
      const { description } = push;
      const source = { kind: 'archive', url, checksum: null } as const;
      const queued = await this.#builds.create(own, app.id, { source, description });
      say(
        `-----> Build ${queued.number} of ${app.handle}: ${description.branch} at ${description.commit.slice(0, 10)}`,
      );
      const build = await this.#follow(own, app, queued, say, signal);
      if (build.status !== 'succeeded')
        return { build, release: null, failure: build.failureMessage ?? `the build was ${build.status}` };
      const created = await this.#release(own, app, build);
      say(`-----> Release v${created.version}: starting it`);
      const release = await untilChanged(this.#context.db, signal, async () => {
        const now = await this.#context.db.releases.find(app.id, created.id);
        return now === null || now.status === 'pending' ? null : now;
      });
      return { build, release, failure: failureOf(release) };
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

  /** Says the build's log until it has ended; every line once, also those written just before the end. */
  async #follow(own: Actor, app: AppView, queued: Build, say: PushOptions['say'], signal: AbortSignal): Promise<Build> {
    const read = async (options: { follow: boolean; signal?: AbortSignal }, from: number): Promise<number> => {
      let at = 0;
      const log = await this.#builds.log(own, app.id, queued.id, { lines: LINES_MAX, ...options });
      for await (const { lines, dropped } of log) {
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
    const build = await untilChanged(this.#context.db, signal, async () => {
      const now = await this.#builds.get(own, app.id, queued.id);
      return now.status === 'queued' || now.status === 'running' ? null : now;
    }).finally(() => ended.abort());
    await read({ follow: false }, await following);
    return build;
  }

  /** The release that came with the build's success, where the app has that switched on; otherwise a new one. */
  async #release(own: Actor, app: AppView, build: Build): Promise<Release> {
    const { releases } = this.#context.db;
    for (let after: string | undefined; ; ) {
      const page = await releases.list(app.id, ['deploy'], { limit: PAGE, ...(after === undefined ? {} : { after }) });
      const found = page.items.find(({ buildId }) => buildId === build.id);
      if (found !== undefined) return found;
      if (page.next === null) break;
      after = page.next;
    }
    const description = `Deploy ${build.description.commit.slice(0, 10)}`;
    return this.#releases.deploy(own, app.id, build.id, { description });
  }
}

function failureOf(release: Release): string | null {
  if (release.status !== 'failed') return null;
  return release.failureMessage ?? `release v${release.version} did not start`;
}

/** Who may push an app may do what a push is made of, there and for as long as it takes. */
const onBehalf = (actor: Actor, app: AppView): Actor => ({
  ...actor,
  grants: [{ permission: 'app', context: 'app', contextId: app.id }],
});
