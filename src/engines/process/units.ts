/** All units of this machine: adopts what an earlier agent left, starts new ones, forgets ended ones. Verbs are idempotent by id. */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { conflict, invalid, notFound } from '../../core/errors.ts';
import { watchDisk } from './disk-watch.ts';
import type { Launcher } from './launcher.ts';
import type { Ports } from './ports.ts';
import { pidsMarked, signalProcess } from './proc.ts';
import { markName } from './settings.ts';
import { ownNetworkKey } from './surroundings.ts';
import { Unit, type UnitServices } from './unit.ts';
import { readState, type UnitState, writeState } from './unit-state.ts';
import type { PlainInstanceSpec, PlainJobSpec } from './wire.ts';
import type { WorkingCopies } from './working-copies.ts';

export interface UnitsParts {
  readonly services: UnitServices;
  readonly launcher: Launcher;
  readonly ports: Ports;
  readonly copies: WorkingCopies;
  /** Holds a folder per unit. */
  readonly folder: string;
  readonly ownNetworks: boolean;
}

/** Ids name folders and control groups. */
const idForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

export class Units {
  readonly #parts: UnitsParts;
  readonly #units = new Map<string, Unit>();
  readonly #removing = new Map<string, Promise<void>>();

  constructor(parts: UnitsParts) {
    this.#parts = parts;
    mkdirSync(parts.folder, { recursive: true, mode: 0o700 });
  }

  /** Finds what an earlier agent left on this machine and takes it over, or takes it away. */
  async adoptAll(): Promise<void> {
    const { folder, services, ports, copies } = this.#parts;
    const adopting: Promise<void>[] = [];
    for (const name of readdirSync(folder)) {
      const state = readState(join(folder, name));
      if (state === null) {
        for (const pid of pidsMarked(markName, name)) signalProcess(pid, 'SIGKILL');
        await copies.remove(join(folder, name));
        continue;
      }
      const unit = new Unit(services, join(folder, name), state);
      this.#units.set(state.id, unit);
      if (state.allocatedPort !== null && state.exit === null) ports.hold(state.allocatedPort);
      this.#follow(unit);
      // Caught before its command ran, it has no end to tell that would be its own: whoever wants it, and still asks, starts it anew.
      const unborn = state.kind !== 'one-off' && state.exit === null && !unit.hasStarted;
      adopting.push(unit.adopt().then(() => (unborn ? this.remove(state.id) : watchDisk(unit))));
    }
    const { cgroups } = services.machine;
    for (const id of cgroups?.list() ?? []) {
      if (this.#units.has(id)) continue;
      for (const pid of cgroups?.pids(id) ?? []) signalProcess(pid, 'SIGKILL');
      cgroups?.remove(id);
    }
    await Promise.all(adopting);
  }

  all(): Unit[] {
    return [...this.#units.values()];
  }

  get(id: string): Unit | undefined {
    return this.#units.get(id);
  }

  /** Throws not-found. */
  instance(id: string): Unit {
    const unit = this.#units.get(id);
    if (unit === undefined || unit.state.kind === 'job') throw notFound('instance');
    return unit;
  }

  /** Whether a unit that has not ended yet answers to this. */
  isAny(accepts: (state: UnitState) => boolean): boolean {
    return this.all().some((unit) => unit.phase !== 'exited' && accepts(unit.state));
  }

  startInstance(spec: PlainInstanceSpec): Unit {
    const { launcher } = this.#parts;
    return this.#start(
      spec.id,
      () => ({
        kind: spec.kind,
        appId: spec.appId,
        appHandle: spec.appHandle,
        spaceId: spec.spaceId,
        processType: spec.processType,
        seat: spec.seat ?? '',
        generation: spec.generation,
        limits: spec.limits,
        graceMs: spec.graceMs,
        log: { stream: `apps/${spec.appId}`, source: 'app', maxBytes: null },
        interactive: spec.kind === 'one-off' && (spec.stdin === true || spec.terminal !== undefined),
        uid: launcher.uidOf(`app:${spec.appId}`),
        networkKey: this.#parts.ownNetworks ? ownNetworkKey(spec) : null,
        targets: spec.links?.flatMap(({ target }) => (target === null ? [] : [target])) ?? [],
        volumes: spec.mounts?.map(({ volumeId }) => volumeId) ?? [],
        deadline: this.#deadline(spec.timeoutMs),
        disk: null,
      }),
      (unit) => launcher.startInstance(unit, spec),
    );
  }

  startJob(spec: PlainJobSpec): Unit {
    const { launcher } = this.#parts;
    const unit = this.#start(
      spec.id,
      () => ({
        kind: 'job',
        appId: '',
        appHandle: '',
        spaceId: spec.spaceId,
        processType: '',
        generation: '',
        limits: spec.limits,
        graceMs: 0,
        log: spec.log,
        interactive: false,
        uid: launcher.uidOf(`builds:${spec.spaceId}`),
        deadline: this.#deadline(spec.timeoutMs),
        disk: {
          folders: spec.folders.filter((folder) => folder.writable).map((folder) => folder.host),
          bytes: spec.diskBytes,
        },
      }),
      (unit) => launcher.startJob(unit, spec),
    );
    if (unit.state.kind !== 'job') throw conflict('id-taken', 'an instance has this id');
    return unit;
  }

  /** Stops it without grace if it still runs, and deletes every trace. Unknown id: nothing to do. */
  remove(id: string): Promise<void> {
    const unit = this.#units.get(id);
    if (unit === undefined) return Promise.resolve();
    const known = this.#removing.get(id);
    if (known !== undefined) return known;
    const removing = (async () => {
      await unit.stop(0, 'stop');
      await this.#parts.copies.remove(unit.folder);
      this.#parts.services.machine.cgroups?.remove(id);
      this.#units.delete(id);
      this.#parts.services.changed();
    })().finally(() => this.#removing.delete(id));
    this.#removing.set(id, removing);
    return removing;
  }

  #deadline(timeoutMs: number | undefined): string | null {
    if (timeoutMs === undefined) return null;
    return new Date(this.#parts.services.clock.now().getTime() + timeoutMs).toISOString();
  }

  #start(
    id: string,
    describe: () => Omit<
      UnitState,
      'id' | 'mode' | 'ownNetwork' | 'address' | 'allocatedPort' | 'startedAt' | 'process' | 'stopReason' | 'exit'
    >,
    launch: (unit: Unit) => Promise<void>,
  ): Unit {
    if (!idForm.test(id)) throw invalid('id', 'id must be letters, digits and inner . _ -', 'malformed');
    const known = this.#units.get(id);
    if (known !== undefined) return known;
    const { services, folder, ownNetworks } = this.#parts;
    const state: UnitState = {
      ...describe(),
      id,
      mode: services.machine.sandbox,
      ownNetwork: ownNetworks,
      address: null,
      allocatedPort: null,
      startedAt: null,
      process: null,
      stopReason: null,
      exit: null,
    };
    const own = join(folder, id);
    mkdirSync(own, { mode: 0o700 });
    writeState(own, state);
    const unit = new Unit(services, own, state);
    this.#units.set(id, unit);
    this.#follow(unit);
    services.changed();
    void launch(unit).then(() => watchDisk(unit));
    return unit;
  }

  #follow(unit: Unit): void {
    void unit.ended.then(() => {
      if (unit.state.allocatedPort !== null) this.#parts.ports.release(unit.state.allocatedPort);
    });
  }
}
