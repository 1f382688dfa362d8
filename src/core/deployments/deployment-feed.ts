/**
 * How the deployments of an app go, as it happens: for whoever comes late also what was said before. A reader that is slow holds up only
 * itself; of a log it then loses the oldest lines and is told how many.
 */
import type { Actor } from '../access/actor.ts';
import { fetchApp } from '../apps/app-access.ts';
import { buildLogStream } from '../builds/build-service.ts';
import type { Id } from '../names.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { LogStore } from '../ports/log-store.ts';
import { untilChanged } from '../pushes/until-changed.ts';
import { type Deployment, type DeploymentState, deploymentState, endedAt, isUnderWay } from './deployment.ts';

/** For each deployment `new` first, then what its log has, then where it is; then both as they change, the end last. */
export type FeedItem =
  | { readonly kind: 'new'; readonly deployment: Deployment }
  | { readonly kind: 'log'; readonly id: string; readonly line: string }
  | { readonly kind: 'state'; readonly id: string; readonly state: DeploymentState };

/** Resolves when the reader is ready for the next. */
export type FeedReader = (item: FeedItem) => Promise<void>;

/** More than any build may write. */
const LINES_MAX = 10_000_000;
/** Newest ones that are looked at: more are never under way at once. */
const LOOKED_AT = 20;
/** One that has ended so shortly before is told about too: it may be the one that the reader has just begun. */
const JUST_ENDED_MS = 60_000;

/** The ways of a deployment, so that a state that was passed between two looks is told as well. */
const way: readonly DeploymentState[] = ['building', 'releasing', 'starting'];

export class DeploymentFeed {
  readonly #context: CoreContext;
  readonly #logs: Pick<LogStore, 'read'>;
  constructor(context: CoreContext, logs: Pick<LogStore, 'read'>) {
    this.#context = context;
    this.#logs = logs;
  }

  /** Tells until the signal aborts. Rejects with `not-found` and `forbidden` like any reading of the app's deployments. */
  async follow(actor: Actor, reference: string, tell: FeedReader, signal: AbortSignal): Promise<void> {
    const { db, clock } = this.#context;
    const app = await fetchApp(db, actor, reference, 'app.read.deploy');
    const told = new Map<string, Telling>();
    let newest: number | null = null;
    const look = async (): Promise<null> => {
      const { items } = await db.deployments.list(app.id, { offset: 0, limit: LOOKED_AT });
      const before: number = newest ?? -1;
      const fresh = newest === null ? atFirst(items, clock.now()) : items.filter(({ build }) => build.number > before);
      newest = Math.max(before, ...items.map(({ build }) => build.number));
      for (const deployment of fresh.toReversed())
        told.set(deployment.build.id, new Telling(this.#logs, deployment, tell, signal));
      for (const deployment of items) told.get(deployment.build.id)?.see(deployment);
      for (const [id, { over }] of told) if (over) told.delete(id);
      return null;
    };
    await untilChanged(db, signal, look).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
}

/** Those under way, or the newest when it has just ended. */
function atFirst(items: readonly Deployment[], now: Date): readonly Deployment[] {
  const underWay = items.filter(isUnderWay);
  if (underWay.length > 0) return underWay;
  const [newest] = items;
  const ended = newest === undefined ? null : endedAt(newest);
  return newest !== undefined && ended !== null && now.getTime() - ended.getTime() < JUST_ENDED_MS ? [newest] : [];
}

/** One deployment as it is told to one reader. */
class Telling {
  over = false;
  readonly #id: Id<'build'>;
  readonly #logs: Pick<LogStore, 'read'>;
  readonly #tell: FeedReader;
  readonly #signal: AbortSignal;
  #known: Deployment;
  #changed: () => void = () => {};

  constructor(logs: Pick<LogStore, 'read'>, deployment: Deployment, tell: FeedReader, signal: AbortSignal) {
    this.#logs = logs;
    this.#id = deployment.build.id;
    this.#known = deployment;
    this.#tell = tell;
    this.#signal = signal;
    // A reader that cannot be told has left, which ends everything else too.
    this.#run()
      .catch(() => {})
      .finally(() => {
        this.over = true;
      });
  }

  see(deployment: Deployment): void {
    this.#known = deployment;
    this.#changed();
  }

  async #run(): Promise<void> {
    await this.#tell({ kind: 'new', deployment: this.#known });
    const at = isUnderWay(this.#known) ? await this.#read({ follow: false }, 0) : 0;
    const ended = new AbortController();
    const follow = { follow: true, signal: AbortSignal.any([ended.signal, this.#signal]) };
    const following = isUnderWay(this.#known) ? this.#read(follow, at) : Promise.resolve(at);
    // Awaited below; until then it is nobody's unhandled rejection.
    following.catch(() => {});
    let shown: DeploymentState | null = null;
    while (isUnderWay(this.#known)) {
      shown = await this.#show(shown, deploymentState(this.#known));
      await this.#change(shown);
      if (this.#signal.aborted) return;
    }
    ended.abort();
    await this.#read({ follow: false }, await following);
    await this.#show(shown, deploymentState(this.#known));
  }

  /** Tells the log's lines from one on; gives how many there are. */
  async #read(options: { readonly follow: boolean; readonly signal?: AbortSignal }, from: number): Promise<number> {
    let at = 0;
    const batches = await this.#logs.read(buildLogStream(this.#id), { lines: LINES_MAX, ...options });
    for await (const { lines, dropped } of batches) {
      at += dropped;
      if (dropped > 0) await this.#line(`(${dropped} lines are left out: this reader is too slow)`);
      for (const { text } of lines) {
        at += 1;
        if (at > from) await this.#line(text);
      }
    }
    return at;
  }

  #line(line: string): Promise<void> {
    return this.#tell({ kind: 'log', id: this.#id, line });
  }

  /** Tells of a state, and of those between the one shown last and an end that is success. */
  async #show(before: DeploymentState | null, now: DeploymentState): Promise<DeploymentState> {
    if (before === now) return now;
    const from = before === null ? way.indexOf(now) : way.indexOf(before) + 1;
    const to = now === 'succeeded' ? way.length : way.indexOf(now);
    const passed = before === null || to < 0 ? [] : way.slice(from, to);
    for (const state of [...passed, now]) await this.#tell({ kind: 'state', id: this.#id, state });
    return now;
  }

  /** Resolves when the state is another one. */
  #change(shown: DeploymentState): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!this.#signal.aborted && deploymentState(this.#known) === shown) return;
        this.#changed = () => {};
        this.#signal.removeEventListener('abort', check);
        resolve();
      };
      this.#changed = check;
      this.#signal.addEventListener('abort', check);
      check();
    });
  }
}
