import type { AppView } from '../../core/apps/app.ts';
import { nameInput } from './app-input.ts';
import { nameOf } from './app-shape.ts';
import { type AppShape, PARENT, showApp } from './app-views.ts';
import type { Call } from './call.ts';
import { unprocessable } from './errors.ts';
import { type Fields, said, text } from './fields.ts';
import type { ScalingoParts } from './settings.ts';
import { DEFAULT_SIZE, findSize } from './sizes.ts';

/**
 * In the team that stands for the caller, with the one container type that every app has. With the header `X-Dry-Run` it is only found out
 * whether it could be, and the answer is the same.
 */
export async function createApp(
  parts: ScalingoParts,
  call: Call,
  fields: Fields,
  parent: AppView | null,
): Promise<AppShape> {
  const { core } = parts;
  const name = nameInput(text(fields, 'name'));
  if (said(fields, 'git_source') !== undefined)
    throw unprocessable('git_source', 'is not offered by this platform: create a deployment of its archive instead');
  if (said(fields, 'stack_id') !== undefined) throw unprocessable('stack_id', 'is not a known stack');
  const { team, actor } = await core.teams.own(call.actor);
  const [space, size] = await Promise.all([core.spaces.get(actor, 'default'), findSize(core, DEFAULT_SIZE)]);
  const input = {
    name,
    team: team.id,
    spaceId: space.id,
    features: { 'auto-release': true },
    processes: [{ type: 'web', quantity: 1, size: size.id }],
    ...(parent === null ? {} : { annotations: { [PARENT]: parent.id } }),
  };
  if (call.headers['x-dry-run'] !== 'true') return showApp(parts, call, await core.apps.create(actor, input));
  const rehearsed = await showApp(parts, call, await core.apps.rehearse(actor, input));
  return { ...rehearsed, parent_app_name: parent === null ? null : nameOf(parent) };
}
