import type { Id } from '../names.ts';

/** A folder that outlives the instances that mount it; it goes with its app. */
export interface Volume {
  readonly id: Id<'volume'>;
  readonly appId: Id<'app'>;
  /** The process whose volume it is; members of its pod may mount it too. */
  readonly processType: string;
  /** Whose instance it is for (see `seatOf`), or `*`: one for all instances of the process. */
  readonly seat: string;
  readonly path: string;
  /** What was asked for; shown, not enforced. */
  readonly sizeBytes: number | null;
  readonly createdAt: Date;
}

/** Where a volume belongs, for people. */
export interface VolumePlace extends Pick<Volume, 'id' | 'processType' | 'path'> {
  readonly appHandle: string;
}

export interface VolumeStore {
  list(appId: Id<'app'>): Promise<readonly Volume[]>;
  /** Ids of all apps' volumes. */
  allIds(): Promise<readonly Id<'volume'>[]>;
  /** Of those of these that there are. */
  places(ids: readonly string[]): Promise<readonly VolumePlace[]>;
  /** The one at this place, made with `volume`'s id when there is none yet. */
  ensure(volume: Volume): Promise<Volume>;
}
