import type { AppView } from '../../core/apps/app.ts';
import { Secret } from '../../core/ports/secret.ts';
import { nameInput } from './app-input.ts';
import { nameOf } from './app-shape.ts';
import { type AppShape, PARENT, showApp } from './app-views.ts';
import type { Call } from './call.ts';
import { unprocessable } from './errors.ts';
import { type Fields, said, text } from './fields.ts';
import { archiveOf, GIT_SOURCE } from './git-source.ts';
import type { ScalingoParts } from './settings.ts';
import { DEFAULT_SIZE, findSize } from './sizes.ts';

/**
 * In the team that stands for the caller, with the one container type that every app has, and a deployment where a source is named. With the header `X-Dry-Run` it is only found out
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
  const gitSource = said(fields, 'git_source');
  const archive = gitSource === undefined ? null : archiveOf(gitSource);
  if (said(fields, 'stack_id') !== undefined) throw unprocessable('stack_id', 'is not a known stack');
  const { team, actor } = await core.teams.own(call.actor);
  const [space, size] = await Promise.all([core.spaces.get(actor, 'default'), findSize(core, DEFAULT_SIZE)]);
  const input = {
    name,
    team: team.id,
    spaceId: space.id,
    features: { 'auto-release': true },
    processes: [{ type: 'web', quantity: 1, size: size.id }],
    annotations: {
      ...(parent === null ? {} : { [PARENT]: parent.id }),
      ...(gitSource === undefined ? {} : { [GIT_SOURCE]: gitSource }),
    },
  };
  if (call.headers['x-dry-run'] === 'true') {
    const rehearsed = await showApp(parts, call, await core.apps.rehearse(actor, input));
    return { ...rehearsed, parent_app_name: parent === null ? null : nameOf(parent), git_source: gitSource ?? null };
  }
  const app = await core.apps.create(actor, input);
  if (archive !== null) {
    const source = { kind: 'archive', url: new Secret(archive), checksum: null } as const;
    await core.deployments.create(actor, app.id, { source }, 'app.deploy.archive-url');
  }
  return showApp(parts, call, app);
}
