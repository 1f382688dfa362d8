import type { ProcessChange } from '../../core/processes/new-process.ts';
import { nameOf } from './app-shape.ts';
import { refuseBusy } from './app-status.ts';
import { statusOf } from './app-views.ts';
import { type Call, param, type Route } from './call.ts';
import { notThere, unprocessable } from './errors.ts';
import { type Fields, needed, rootedList, said } from './fields.ts';
import { formationOf } from './formation.ts';
import { operationUrl } from './links.ts';
import type { ScalingoParts } from './settings.ts';
import { DEFAULT_SIZE, findSize } from './sizes.ts';

const AMOUNT_MAX = 10;

export function scaleRoutes(parts: ScalingoParts): readonly Route[] {
  const { core } = parts;

  async function scale(call: Call) {
    const app = await core.apps.get(call.actor, param(call, 'app'));
    const asked = rootedList(call.body, 'containers');
    if (asked.length === 0) throw unprocessable('containers', 'missing field');
    const { processes } = await core.apps.getWithProcesses(call.actor, app.id);
    const known = new Set<string>(processes.map(({ type }) => type));
    const types = new Set((await formationOf(core, call.actor, app)).map(({ name }) => name));
    const changes = await Promise.all(asked.map((fields) => changeInput(fields, types, known)));
    refuseBusy(await statusOf(parts, app));
    const { operation } = await core.processes.update(call.actor, app.id, changes);
    return {
      status: 202,
      headers: { location: operationUrl(call.baseUrl, nameOf(app), operation.id) },
      body: { containers: await formationOf(core, call.actor, app) },
    };
  }

  /** An empty size keeps the one there is. */
  async function changeInput(
    fields: Fields,
    types: ReadonlySet<string>,
    known: ReadonlySet<string>,
  ): Promise<{ type: string } & ProcessChange> {
    const type = needed(fields, 'name');
    if (!types.has(type)) throw notThere('container_type');
    const quantity = amountInput(fields, type);
    const named = said(fields, 'size') ?? (known.has(type) ? undefined : DEFAULT_SIZE);
    if (quantity === undefined && said(fields, 'size') === undefined) throw unprocessable('amount', 'missing field');
    const size = named === undefined ? undefined : (await findSize(core, named)).id;
    return { type, ...(quantity === undefined ? {} : { quantity }), ...(size === undefined ? {} : { size }) };
  }

  return [{ method: 'POST', path: '/v1/apps/:app/scale', access: 'app.update.unit', handle: scale }];
}

function amountInput({ amount }: Fields, type: string): number | undefined {
  if (amount === undefined || amount === null) return undefined;
  if (typeof amount !== 'number' || !Number.isInteger(amount)) throw unprocessable('amount', 'should be an integer');
  if (amount < 0) throw unprocessable('amount', `of ${type} should be greater than or equal to 0`);
  if (amount > AMOUNT_MAX) throw unprocessable('amount', `of ${type} should be lower than or equal to ${AMOUNT_MAX}`);
  return amount;
}
