/** What holds a node up that is emptied, beside instances with rows: one-offs, and the volumes of what does not run. In words, for its row. */
import type { NodeView } from '../../core/nodes/node.ts';
import type { Operation } from '../../core/operations/operation.ts';
import type { VolumeLeft } from '../../core/ports/engine.ts';
import type { VolumePlace } from '../../core/volumes/volume.ts';
import type { ControlContext } from '../control-context.ts';
import type { NodesNow } from './node-moves.ts';

const NAMED = 3;

/**
 * By node that is to be removed: the volumes that are still there. They are carried to others meanwhile. A node is left out when it cannot be
 * said.
 */
export async function leavingVolumes(
  { engine, logger }: Pick<ControlContext, 'engine' | 'logger'>,
  nodes: readonly NodeView[],
): Promise<ReadonlyMap<string, readonly VolumeLeft[]>> {
  const left = new Map<string, readonly VolumeLeft[]>();
  for (const { id } of nodes.filter(({ removing }) => removing)) {
    try {
      left.set(id, await engine.carryVolumes(id));
    } catch (error) {
      logger.warn({ err: error, node: id }, 'the volumes of a node could not be carried off it; it is tried again');
    }
  }
  return left;
}

/** By node: what is in its way. */
export async function leftoverWords(
  { db }: Pick<ControlContext, 'db'>,
  { nodes, operations, running, volumes }: Pick<NodesNow, 'nodes' | 'operations' | 'running' | 'volumes'>,
): Promise<ReadonlyMap<string, string>> {
  const words = new Map<string, string>();
  const places = await db.volumes.places([...volumes.values()].flat().map(({ id }) => id));
  for (const { id } of nodes) {
    const own = operations.filter(({ subjectId, kind }) => subjectId === id && kind !== 'node-add');
    const parts = [
      oneOffWords(oneOffsOn(id, own, running)),
      volumeWords(volumes.get(id) ?? [], new Map(places.map((place) => [place.id, place]))),
    ].filter((part) => part !== null);
    if (parts.length > 0) words.set(id, parts.join('; '));
  }
  return words;
}

const oneOffsOn = (nodeId: string, operations: readonly Operation[], running: NodesNow['running']): number =>
  running.filter(
    (one) =>
      one.kind === 'one-off' &&
      one.nodeId === nodeId &&
      one.state !== 'exited' &&
      operations.some(({ appId }) => appId === null || appId === one.appId),
  ).length;

const oneOffWords = (count: number): string | null =>
  count === 0 ? null : `${count} ${count === 1 ? 'one-off' : 'one-offs'} to end`;

/** Those with something in the way are named first. */
function volumeWords(left: readonly VolumeLeft[], places: ReadonlyMap<string, VolumePlace>): string | null {
  if (left.length === 0) return null;
  const named = left.toSorted((one, other) => Number(other.obstacle !== null) - Number(one.obstacle !== null));
  const words = named.slice(0, NAMED).map(({ id, obstacle }) => {
    const place = places.get(id);
    const name = place === undefined ? id : `${place.appHandle} ${place.processType} ${place.path}`;
    return obstacle === null ? name : `${name}: ${obstacle}`;
  });
  const more = left.length > NAMED ? ', …' : '';
  return `${left.length} ${left.length === 1 ? 'volume' : 'volumes'} to carry (${words.join(', ')}${more})`;
}
