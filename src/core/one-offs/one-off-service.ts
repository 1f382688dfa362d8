import type { Actor } from '../access/actor.ts';
import type { AppView } from '../apps/app.ts';
import { fetchApp } from '../apps/app-access.ts';
import { BerthError, conflict, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Engine } from '../ports/engine.ts';
import { limitOf } from '../quotas/quota.ts';
import type { Release } from '../releases/release.ts';
import { type HeldOneOff, type HeldOneOffs, LIFETIME_MS } from './held-one-offs.ts';
import { type CreateOneOff, ONE_OFF, type OneOff, oneOffGeneration, oneOffOf } from './one-off.ts';

const GRACE_MS = 10_000;

export class OneOffService {
  readonly #context: CoreContext;
  readonly #engine: Engine;
  readonly #held: HeldOneOffs;
  constructor(context: CoreContext, engine: Engine, held: HeldOneOffs) {
    this.#context = context;
    this.#engine = engine;
    this.#held = held;
  }

  /**
   * With the current release's artifact and config; a detached one starts at once. Throws conflict `no-release`, `quota` with code
   * `instances`, and `not-found` for a size.
   */
  async create(actor: Actor, reference: string, input: CreateOneOff): Promise<OneOff> {
    const { db, ids, clock } = this.#context;
    const app = await fetchApp(db, actor, reference, 'app.run');
    const { release, artifactDigest } = await this.#artifact(app, input.processType);
    const size = input.size === undefined ? await db.sizes.findDefault() : await db.sizes.find(input.size);
    if (size === null) throw notFound('size', input.size);
    const environment = (await db.config.findSnapshot(release.configSnapshotId)) ?? {};
    const number = await this.#admit(app);
    const oneOff: OneOff = {
      id: ids.id(),
      appId: app.id,
      number,
      command: typeof input.command === 'string' ? input.command : input.command.join(' '),
      sizeId: size.id,
      state: input.detached ? 'starting' : 'waiting',
      createdAt: clock.now(),
      exit: null,
    };
    const held = this.#held.add(oneOff, {
      id: oneOff.id,
      kind: 'one-off',
      appId: app.id,
      appHandle: app.handle,
      spaceId: app.spaceId,
      poolId: app.poolId,
      processType: ONE_OFF,
      seat: String(number),
      generation: oneOffGeneration(number, size.id),
      artifactDigest,
      command: input.command,
      environment: { ...environment, ...input.environment },
      ports: 'any',
      limits: { memoryBytes: size.memoryBytes, cpuShares: size.cpuShares, pids: size.pids },
      graceMs: GRACE_MS,
      timeoutMs: LIFETIME_MS,
    });
    try {
      const data = { command: oneOff.command, detached: input.detached, oneOff: oneOff.id };
      await record(this.#context, db, actor, 'CommandExecuted', { app }, data);
      if (input.detached) {
        this.#held.begin(held);
        await this.#engine.start({ ...held.spec, stdin: false });
      }
    } catch (error) {
      this.#held.end(held, null);
      throw error;
    }
    return oneOff;
  }

  /** Those that have not ended, also those that still wait for somebody to attach. */
  async list(actor: Actor, reference: string): Promise<readonly OneOff[]> {
    const app = await fetchApp(this.#context.db, actor, reference, 'app.read.info');
    return (await this.#all(app)).filter(({ exit }) => exit === null).toSorted((a, b) => a.number - b.number);
  }

  /** SIGTERM to all of it, SIGKILL after its grace; one that waits is cancelled. Resolves when it is asked to. */
  async stop(actor: Actor, reference: string, id: string): Promise<void> {
    const held = await this.#find(actor, reference, id);
    if (held?.phase === 'waiting') return this.#held.end(held, null);
    // It may take its grace: nobody waits for that.
    this.#engine.stop(id, GRACE_MS).catch(() => {});
  }

  async signal(actor: Actor, reference: string, id: string, signal: string): Promise<void> {
    const held = await this.#find(actor, reference, id);
    if (held?.phase === 'waiting') throw conflict('instance-not-running', 'the one-off does not run yet', 'instance');
    await this.#engine.signal(id, signal);
  }

  async #find(actor: Actor, reference: string, id: string): Promise<HeldOneOff | undefined> {
    const app = await fetchApp(this.#context.db, actor, reference, 'app.run');
    if (!(await this.#all(app)).some((item) => item.id === id && item.exit === null)) throw notFound('instance', id);
    return this.#held.find(id);
  }

  /** What the engine has, and what waits here. Of both the one of the engine says how it is. */
  async #all(app: Pick<AppView, 'id'>): Promise<readonly OneOff[]> {
    const listed = (await this.#engine.list()).flatMap((instance) => {
      const oneOff = instance.appId === app.id ? oneOffOf(instance) : null;
      if (oneOff === null) return [];
      const begun = this.#held.find(oneOff.id)?.oneOff;
      return [{ ...oneOff, command: begun?.command ?? null, createdAt: begun?.createdAt ?? oneOff.createdAt }];
    });
    const known = new Set(listed.map(({ id }) => id));
    const held = this.#held.ofApp(app.id).filter(({ oneOff, phase }) => phase !== 'ended' && !known.has(oneOff.id));
    return [...listed, ...held.map(({ oneOff }) => oneOff)];
  }

  /** Its number, when the app's quota has room for it. */
  async #admit(app: AppView): Promise<number> {
    const { db } = this.#context;
    const [others, processes, limit] = await Promise.all([
      this.#all(app),
      db.processes.list(app.id),
      limitOf(this.#context, db, { subject: 'app', subjectId: app.id, kind: 'instances' }),
    ]);
    const used = processes.reduce(
      (sum, { quantity }) => sum + quantity,
      others.filter(({ exit }) => exit === null).length,
    );
    if (limit >= 0 && used + 1 > limit)
      throw new BerthError('quota', `the app's quota of ${limit} instances is reached`, { code: 'instances' });
    return Math.max(0, ...others.map(({ number }) => number)) + 1;
  }

  async #artifact(app: AppView, type: string | undefined): Promise<{ release: Release; artifactDigest: string }> {
    const { releases } = this.#context.db;
    const release = app.currentReleaseId === null ? null : await releases.find(app.id, app.currentReleaseId);
    const artifactDigest = release === null ? null : artifactFor(release, type);
    if (release === null || artifactDigest === null)
      throw conflict('no-release', 'the app has no release yet; deploy first', 'app');
    return { release, artifactDigest };
  }
}

function artifactFor(release: Release, type: string | undefined): string | null {
  const own = type === undefined ? undefined : release.processes[type];
  if (own !== undefined) return own.artifactDigest;
  const first = Object.keys(release.processes).sort()[0] ?? '';
  return release.artifactDigest ?? release.processes[first]?.artifactDigest ?? null;
}
