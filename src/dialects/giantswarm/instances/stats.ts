/** What one instance uses now. */
import { setTimeout as wait } from 'node:timers/promises';
import { answer, type Call, type Route } from '../call.ts';
import type { GiantSwarmParts } from '../settings.ts';
import { instanceOf } from './find-instance.ts';
import { statsShape } from './stats-shape.ts';

/** Between the two readings that a share of the processor needs. */
const BETWEEN_MS = 250;

export function statsRoutes(parts: GiantSwarmParts): readonly Route[] {
  const { core } = parts;

  async function stats(call: Call) {
    const found = await instanceOf(parts, call);
    const id = found.seat.instance?.id;
    const read = async () =>
      (await core.instances.stats(call.actor, found.app.id)).find((reading) => reading.id === id);
    const before = await read();
    if (before === undefined) return answer('data', statsShape(found, undefined, undefined));
    await wait(BETWEEN_MS);
    return answer('data', statsShape(found, await read(), before));
  }

  const path = '/v1/org/:org/instance/:instance/stats';
  // Later clients POST it.
  return (['GET', 'POST'] as const).map((method) => ({ method, path, access: 'app.read.metric', handle: stats }));
}
