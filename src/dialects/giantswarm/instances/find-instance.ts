/** From an instance id (a seat's: see ../instance-id.ts), or the beginning of one, to the seat among an organization's apps. */
import type { Actor } from '../../../core/access/actor.ts';
import type { AppView } from '../../../core/apps/app.ts';
import type { Core } from '../../../core/core.ts';
import { seatOf } from '../../../core/instances/seat.ts';
import type { Id } from '../../../core/names.ts';
import type { ProcessView } from '../../../core/processes/process.ts';
import type { Team } from '../../../core/teams/team.ts';
import { type AppTree, type ComponentView, HIGHEST, readTree, type Seat } from '../app-tree.ts';
import { type Call, param } from '../call.ts';
import { Refusal } from '../errors.ts';
import { instanceIdOf } from '../instance-id.ts';
import { organizationOf } from '../scope.ts';
import type { GiantSwarmParts } from '../settings.ts';
import { appsOf } from '../team-apps.ts';

export interface FoundInstance {
  readonly app: AppView;
  readonly tree: AppTree;
  readonly component: ComponentView;
  readonly seat: Seat;
}

export const noSuchInstance = (): Refusal => new Refusal(404, null, 'instance not found');

interface Known {
  readonly apps: readonly AppView[];
  readonly processes: readonly ProcessView[];
}

/** A shorter beginning would fit by chance. */
const form = /^[a-z0-9]{3,12}$/;
const WHOLE = 12;
/** How far back a former series, whose instances may still end, is looked for. */
const FORMER_SERIES = 20;
const RELEASES_AT_ONCE = 16;

/** The instance of the path. Throws 403 for the organization, 404 for the instance or for a beginning that fits several. */
export async function instanceOf(
  parts: Pick<GiantSwarmParts, 'core' | 'settings'>,
  call: Call,
): Promise<FoundInstance> {
  const team = await organizationOf(parts.core, call);
  return new InstanceFinder(parts, call.actor, team).find(param(call, 'instance'));
}

/**
 * An id is a digest, so it is searched for: the seats that processes may have are tried, and only an app that may hold it is read whole.
 * Series other than the first exist only after a hot swap, so releases are read only when the first series does not have it. What one
 * search has read serves the next: a finder is for one request.
 */
export class InstanceFinder {
  readonly #parts: Pick<GiantSwarmParts, 'core' | 'settings'>;
  readonly #actor: Actor;
  readonly #team: Team;
  readonly #trees = new Map<Id<'app'>, Promise<AppTree>>();
  #known: Promise<Known> | null = null;
  #series: Promise<ReadonlyMap<string, number>> | null = null;

  constructor(parts: Pick<GiantSwarmParts, 'core' | 'settings'>, actor: Actor, team: Team) {
    this.#parts = parts;
    this.#actor = actor;
    this.#team = team;
  }

  /** Throws 404 for what no seat of the organization is, and for a beginning that fits several. */
  async find(reference: string): Promise<FoundInstance> {
    if (!form.test(reference)) throw noSuchInstance();
    this.#known ??= this.#readKnown();
    const known = await this.#known;
    if (reference.length === WHOLE) {
      const [found] = await this.#search(known, reference, () => 0);
      if (found !== undefined) return found;
    }
    this.#series ??= lastSeriesOf(this.#parts.core, this.#actor, known);
    const series = await this.#series;
    const [found, ...others] = await this.#search(known, reference, ({ id }) => series.get(id) ?? 0);
    if (found === undefined) throw noSuchInstance();
    if (others.length > 0) throw new Refusal(404, null, 'instance not found: several begin like this');
    return found;
  }

  async #readKnown(): Promise<Known> {
    const apps = await appsOf(this.#parts.core, this.#actor, this.#team);
    return { apps, processes: await this.#parts.core.processes.listOf(apps) };
  }

  async #search(
    { apps, processes }: Known,
    reference: string,
    lastSeries: (process: ProcessView) => number,
  ): Promise<readonly FoundInstance[]> {
    const holders = new Set(
      processes.filter((one) => mayHold(one, lastSeries(one), reference)).map(({ appId }) => appId),
    );
    const trees = await Promise.all(apps.filter(({ id }) => holders.has(id)).map((app) => this.#tree(app)));
    return trees.flatMap((tree) => seatsIn(tree).filter(({ seat }) => seat.id.startsWith(reference)));
  }

  #tree(app: AppView): Promise<AppTree> {
    const { core, settings } = this.#parts;
    const tree = this.#trees.get(app.id) ?? readTree(core, this.#actor, app, settings.registryHost);
    this.#trees.set(app.id, tree);
    return tree;
  }
}

/** Every seat of an app, with its component. */
export const seatsIn = (tree: AppTree): readonly FoundInstance[] =>
  tree.services.flatMap(({ components }) =>
    components.flatMap((component) => component.seats.map((seat) => ({ app: tree.app, tree, component, seat }))),
  );

/** Whether a seat with such an id may be there; whether it is, only the instances tell. */
function mayHold({ appId, type, quantity }: ProcessView, lastSeries: number, reference: string): boolean {
  for (let series = Math.max(0, lastSeries - FORMER_SERIES); series <= lastSeries; series += 1)
    for (let ordinal = 0; ordinal < Math.max(quantity, HIGHEST); ordinal += 1)
      if (instanceIdOf(appId, type, seatOf({ series, ordinal })).startsWith(reference)) return true;
  return false;
}

/** By process id; only processes with an image of their own have another series than the first. */
async function lastSeriesOf(
  core: Core,
  actor: Actor,
  { apps, processes }: Known,
): Promise<ReadonlyMap<string, number>> {
  const own = processes.filter(({ image }) => image !== null);
  const ids = new Set(own.map(({ appId }) => appId));
  const concerned = apps.filter(({ id }) => ids.has(id));
  const series = new Map<string, number>();
  for (let at = 0; at < concerned.length; at += RELEASES_AT_ONCE) {
    const some = concerned.slice(at, at + RELEASES_AT_ONCE);
    const releases = await Promise.all(some.map(({ id }) => core.releases.target(actor, id)));
    for (const [index, { id }] of some.entries())
      for (const process of own.filter(({ appId }) => appId === id))
        series.set(process.id, releases[index]?.processes[process.type]?.series ?? 0);
  }
  return series;
}
