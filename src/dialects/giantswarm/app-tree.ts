/** An app as this API sees it: services of components of instances, whether it was made by a definition or through another dialect. */
import type { Actor } from '../../core/access/actor.ts';
import type { AppView } from '../../core/apps/app.ts';
import type { Core } from '../../core/core.ts';
import type { InstanceView } from '../../core/instances/instance-service.ts';
import { seatOf } from '../../core/instances/seat.ts';
import type { ProcessView } from '../../core/processes/process.ts';
import type { Release } from '../../core/releases/release.ts';
import type { ParsedDefinition } from './definition/definition.ts';
import { parseDefinition } from './definition/parse-definition.ts';
import { instanceIdOf } from './instance-id.ts';

export const DEFINITION = 'giantswarm/definition';
export const LOWEST = 1;
export const HIGHEST = 10;

/** A seat, with who sits in it. */
export interface Seat {
  /** This API's instance id. */
  readonly id: string;
  readonly seat: string;
  /** Null: nobody. */
  readonly instance: InstanceView | null;
}
export interface ComponentView {
  readonly service: string;
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly process: ProcessView;
  /** The image's name as it is now. */
  readonly image: string;
  /** Whether it is meant to run. */
  readonly wanted: boolean;
  readonly seats: readonly Seat[];
}
export interface ServiceView {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly components: readonly ComponentView[];
}
export interface AppTree {
  readonly app: AppView;
  /** As its owner wrote it; the handle of one that was made elsewhere. */
  readonly name: string;
  readonly definition: ParsedDefinition | null;
  /** What runs or is about to; null before the first start. */
  readonly release: Release | null;
  /** What each instance was started by, by its id. */
  readonly startedBy: ReadonlyMap<string, Release>;
  readonly services: readonly ServiceView[];
}

/** Null for an app without one. */
export const definitionOf = (text: string | null | undefined): ParsedDefinition | null =>
  text == null ? null : parseDefinition(JSON.parse(text));

export async function readTree(core: Core, actor: Actor, app: AppView, registryHost: string): Promise<AppTree> {
  const [processes, instances, text, release] = await Promise.all([
    core.processes.listOf([app]),
    core.instances.list(actor, app.id),
    core.annotations.get(actor, app.id, DEFINITION),
    core.releases.target(actor, app.id),
  ]);
  const definition = definitionOf(text);
  const startedBy = await releasesOf(core, actor, app, instances, release);
  const resting = app.stopped || app.maintenance;
  const components = placed(app, processes, definition).map(({ process, ...place }): ComponentView => {
    const own = instances.filter((instance) => instance.processType === process.type);
    return {
      ...place,
      process,
      image:
        release?.processes[process.type]?.image ??
        process.image ??
        `${registryHost}/${app.teamName}/${app.handle}${release === null ? '' : `:v${release.version}`}`,
      wanted: !resting && !process.stopped && release !== null,
      seats: seatsOf(app.id, process, own, release?.processes[process.type]?.series ?? 0),
    };
  });
  return {
    app,
    name: definition?.name ?? app.handle,
    definition,
    release,
    startedBy,
    services: grouped(components, definition),
  };
}

/** While an update rolls, and after one that failed, instances of several releases are there. */
async function releasesOf(
  core: Core,
  actor: Actor,
  app: AppView,
  instances: readonly InstanceView[],
  target: Release | null,
): Promise<ReadonlyMap<string, Release>> {
  const releases = new Map<string, Release>(target === null ? [] : [[target.id, target]]);
  for (const { releaseId } of instances)
    if (!releases.has(releaseId)) releases.set(releaseId, await core.releases.get(actor, app.id, releaseId));
  return releases;
}

/** Every component of the definition in its order, then processes that were added elsewhere. */
function placed(app: AppView, processes: readonly ProcessView[], definition: ParsedDefinition | null) {
  const defined = (definition?.components ?? []).flatMap(({ type, service, name, min, max }) => {
    const process = processes.find((one) => one.type === type);
    return process === undefined ? [] : [{ process, service, name, min, max }];
  });
  const known = new Set(defined.map(({ process }) => process.id));
  const others = processes
    .filter((process) => !known.has(process.id))
    .map((process) => {
      const [first = '', ...rest] = process.type.split('/');
      const max = Math.max(HIGHEST, process.quantity);
      return {
        process,
        service: rest.length === 0 ? app.handle : first,
        name: rest.join('/') || first,
        min: LOWEST,
        max,
      };
    });
  return [...defined, ...others];
}

function grouped(components: readonly ComponentView[], definition: ParsedDefinition | null): readonly ServiceView[] {
  const names = new Set(components.map(({ service }) => service));
  return [...names].map((name) => {
    const defined = definition?.services.find((service) => service.name === name);
    return {
      name,
      min: defined?.min ?? LOWEST,
      max: defined?.max ?? HIGHEST,
      components: components.filter(({ service }) => service === name),
    };
  });
}

const rank = { ready: 0, starting: 1, crashed: 2, draining: 3 } as const;

/** The seats of the process, taken or not, and those of a former series in which somebody still sits. */
function seatsOf(
  appId: string,
  process: ProcessView,
  instances: readonly InstanceView[],
  series: number,
): readonly Seat[] {
  const taken = new Map<string, InstanceView | null>();
  for (const instance of [...instances].sort((a, b) => rank[a.state] - rank[b.state])) {
    const beyond = instance.ordinal >= process.quantity || instance.series !== series;
    if (beyond && instance.state === 'draining') continue;
    const seat = seatOf(instance);
    if (!taken.has(seat)) taken.set(seat, instance);
  }
  for (let ordinal = 0; ordinal < process.quantity && taken.size < process.quantity; ordinal += 1) {
    const seat = seatOf({ series, ordinal });
    if (!taken.has(seat)) taken.set(seat, null);
  }
  return [...taken]
    .map(([seat, instance]) => ({ id: instanceIdOf(appId, process.type, seat), seat, instance }))
    .sort((a, b) => (a.seat < b.seat ? -1 : 1));
}
