/** When an evening out is over: what replaces the instances that were moved is ready, or has crashed. */
import { leftOf } from '../../core/nodes/move-service.ts';
import type { Operation } from '../../core/operations/operation.ts';
import type { ControlContext } from '../control-context.ts';
import { isWhole, wantedOf } from './node-healing.ts';
import type { NodesNow } from './node-moves.ts';

type Process = Pick<NodesNow['placed'][number], 'appId' | 'processType'>;

/** `failed` says which of them crashed. */
export type RebalanceEnd = 'open' | 'succeeded' | { readonly failed: string };

export class RebalanceEnds {
  readonly #db: ControlContext['db'];
  /** By operation: the processes of which something was seen to be moved; a strategy may stop the old one first. */
  readonly #moved = new Map<string, Map<string, Process>>();

  constructor(db: ControlContext['db']) {
    this.#db = db;
  }

  async of(operation: Operation, now: NodesNow): Promise<RebalanceEnd> {
    const left = leftOf(operation, now.placed);
    const moved = this.#moved.get(operation.id) ?? new Map<string, Process>();
    this.#moved.set(operation.id, moved);
    for (const { appId, processType } of left) moved.set(`${appId} ${processType}`, { appId, processType });
    if (left.length > 0 || isStarting(operation, now)) return 'open';
    for (const process of moved.values()) {
      const crashed = now.placed.find((row) => isOf(process, row) && row.state === 'crashed');
      const wanted = (await wantedOf(this.#db, process.appId)).filter(
        (each) => each.process.type === process.processType,
      );
      if (isWhole(process.appId, wanted, { ...now, placed: now.placed.filter((row) => row.state !== 'crashed') }))
        continue;
      if (crashed === undefined) return 'open';
      const app = await this.#db.apps.findAny(process.appId);
      return { failed: `${app?.handle ?? process.appId} ${process.processType}: crashed (${crashed.failureCode})` };
    }
    return 'succeeded';
  }

  /** Those that are over are forgotten. */
  keep(operations: readonly Operation[]): void {
    const open = new Set<string>(operations.map(({ id }) => id));
    for (const id of this.#moved.keys()) if (!open.has(id)) this.#moved.delete(id);
  }
}

const isOf = (process: Process, row: Process): boolean =>
  row.appId === process.appId && row.processType === process.processType;

/** Something new that may be in the place of what was gone before anybody looked. */
const isStarting = ({ subjectId, appId, createdAt }: Operation, { placed }: NodesNow): boolean =>
  placed.some(
    (row) =>
      row.state === 'starting' &&
      row.poolId === subjectId &&
      (appId === null || row.appId === appId) &&
      row.createdAt >= createdAt,
  );
